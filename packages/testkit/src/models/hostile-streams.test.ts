import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { hostileStreams } from './hostile-streams.ts'
import { isWhole, observe, rows, type Seen } from './observe.fixture.ts'
import type { Surface } from './turn.ts'

type Expectation = { until?: (seen: Seen) => boolean; sees: (seen: Seen, surface: Surface) => void }

const unfinished = (mark: string): Expectation => ({
  sees: ({ body, complete }, surface) => {
    expect(complete).toBe(true)
    expect(isWhole(surface, body)).toBe(false)
    expect(body).toContain(mark)
  },
})
const whole = (check: (body: string, surface: Surface, seen: Seen) => void): Expectation => ({
  sees: (seen, surface) => {
    expect([seen.complete, isWhole(surface, seen.body)]).toEqual([true, true])
    check(seen.body, surface, seen)
  },
})
const more: Expectation = {
  until: ({ body }) => body.length > 200_000,
  sees: ({ body, how }, surface) => expect([how, isWhole(surface, body)]).toEqual(['open', false]),
}

const expectations: Record<string, Expectation> = {
  'ends the stream without saying that it is whole': unfinished('is whole.'),
  'ends the stream after a call without saying that it is whole': unfinished('edit_file'),
  'says an error in the middle, under status 200': unfinished('"error"'),
  'says an error in the middle and goes on as if it were whole': whole((body) =>
    expect(body).toMatch(/The answer [^]*"error"[^]*stop/),
  ),
  'says nothing but an error, under status 200': {
    sees: ({ statusLine, body }) => {
      expect(statusLine).toBe('HTTP/1.1 200 OK')
      expect(body).toMatch(/^(?:event: error\n)?(?:data: )?\{.*"error":/)
    },
  },
  'sends garbage': { sees: ({ raw }) => expect(raw.length).toBeGreaterThan(4096) },
  'sends garbage in the middle': unfinished('{"mess'),
  'sends text that is not UTF-8': whole((body, _, { raw }) => {
    expect(raw.includes(Buffer.from([0xff, 0xc3, 0x28]))).toBe(true)
    expect(body).toContain('\uFFFD')
  }),
  'answers with a page of HTML': unfinished('<html>'),
  'answers with an empty body': {
    sees: ({ statusLine, body, complete }) =>
      expect([statusLine, body, complete]).toEqual(['HTTP/1.1 200 OK', '', true]),
  },
  'answers that there is no content': {
    sees: ({ statusLine }) => expect(statusLine).toBe('HTTP/1.1 204 No Content'),
  },
  'sends a line of 8 MB': whole((body) =>
    expect(Math.max(...body.split('\n').map((line) => line.length))).toBeGreaterThan(8 * 1024 * 1024),
  ),
  'sends tokens for ever': more,
  'thinks for ever': {
    ...more,
    sees: (seen, surface) => {
      more.sees(seen, surface)
      expect(seen.body).toMatch(/thinking|reasoning/)
    },
  },
  'sends one line that has no end': {
    until: ({ body }) => body.length > 10_000_000,
    sees: ({ body }) => expect(body.slice(-5_000_000)).not.toContain('\n'),
  },
  'packs 256 MB into a small answer': {
    sees: ({ head, raw }) => {
      expect(head).toMatch(/content-encoding: gzip/i)
      expect(raw.length).toBeLessThan(1024 * 1024)
      const packed = raw.subarray(raw.indexOf(Buffer.from([0x1f, 0x8b])))
      const first = packed.subarray(0, packed.indexOf(Buffer.from([0x1f, 0x8b]), 2))
      expect(gunzipSync(first).length * 16).toBe(256 * 1024 * 1024)
    },
  },
  'says gzip and is not': whole((_, __, { head }) => expect(head).toMatch(/content-encoding: gzip/i)),
  'names a content type that is not its own': whole((_, __, { head }) =>
    expect(head).toMatch(/content-type: image\/png/i),
  ),
  'ends its lines with CR and LF': whole((body) => expect(body).not.toMatch(/[^\r]\n/)),
  'mixes ends of lines': whole((body) => {
    expect(body).toMatch(/[^\r]\n/)
    expect(body).toContain('\r\n')
  }),
  'begins with a byte order mark': whole((_, __, { raw }) =>
    expect(raw.includes(Buffer.from([0xef, 0xbb, 0xbf]))).toBe(true),
  ),
  'goes on after the end': whole((body) =>
    expect(body.trimEnd()).toMatch(/(done":true|DONE|stop)[^]*nobody asked/),
  ),
  'ends twice': whole((body, surface) => {
    const mark = { ollama: '"done":true', openai: '[DONE]', anthropic: 'event: message_stop' }[surface]
    expect(body.split(mark)).toHaveLength(3)
  }),
  'sends null where text stands': whole((body) => expect(body).toMatch(/"(content|text)":null/)),
  'leaves out the message': {
    sees: ({ body }) => expect(body).not.toMatch(/"(message|choices|delta)":/),
  },
}

test('every one has a row that says what it does', () => {
  expect(hostileStreams.map(({ name }) => name).toSorted()).toEqual(Object.keys(expectations).toSorted())
})

test.each(rows(hostileStreams))('what "%s" says happens on %s', async (name, surface) => {
  const expectation = expectations[name]
  expectation?.sees(await observe(surface, name, expectation.until), surface)
})
