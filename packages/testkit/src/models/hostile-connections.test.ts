import { expect, test } from 'vitest'
import { hostileConnections } from './hostile-connections.ts'
import { isWhole, observe, rows, type Seen } from './observe.fixture.ts'
import type { Surface } from './turn.ts'

const begun = (body: string) => body.includes('The answer ')

/** What each does on its socket. `until` is for those that go on for ever. */
const expectations: Record<
  string,
  { until?: (seen: Seen) => boolean; sees: (seen: Seen, surface: Surface) => void }
> = {
  'refuses connections': { sees: ({ how }) => expect(how).toBe('refused') },
  'accepts and stays silent': {
    until: () => true,
    sees: ({ raw, how }) => expect([raw.length, how]).toEqual([0, 'open']),
  },
  'sends headers and stays silent': {
    until: ({ head }) => head.startsWith('HTTP/1.1 200'),
    sees: ({ body, how }) => expect([body, how]).toEqual(['', 'open']),
  },
  'begins to answer and stays silent': {
    until: ({ body }) => begun(body),
    sees: ({ body, how }, surface) => expect([how, isWhole(surface, body)]).toEqual(['open', false]),
  },
  'resets before the headers': { sees: ({ raw, how }) => expect([raw.length, how]).toEqual([0, 'reset']) },
  'closes before the headers': { sees: ({ raw, how }) => expect([raw.length, how]).toEqual([0, 'closed']) },
  'closes after the headers': {
    sees: ({ statusLine, body, complete }) =>
      expect([statusLine, body, complete]).toEqual(['HTTP/1.1 200 OK', '', false]),
  },
  'resets in the middle of a line': {
    sees: ({ body, how, complete }) => {
      expect([begun(body), how, complete]).toEqual([true, 'reset', false])
      expect(body.endsWith('\n')).toBe(false)
    },
  },
  'closes in the middle of an answer': {
    sees: ({ body, how, complete }) => expect([begun(body), how, complete]).toEqual([true, 'closed', false]),
  },
  'drips a byte every 50 ms for ever': {
    until: ({ body }) => body.length > 5,
    sees: ({ body, how }) => {
      expect(how).toBe('open')
      expect(body).not.toContain('\n\n')
      expect(body.length).toBeLessThan(1000)
    },
  },
  'sends a whole answer byte by byte': {
    sees: ({ raw, body, complete }, surface) => {
      expect([complete, isWhole(surface, body)]).toEqual([true, true])
      expect(body).toContain('é🎉')
      expect(raw.toString('latin1').match(/\r\n1\r\n/g)?.length).toBe(Buffer.byteLength(body))
    },
  },
  'sends nothing but blank lines for ever': {
    until: ({ body }) => body.split('\n').length > 3,
    sees: ({ body, how }) => {
      expect(how).toBe('open')
      expect(body.replaceAll(': keep-alive', '').trim()).toBe('')
    },
  },
  'answers as HTTP/1.0 without a length and is cut': {
    sees: ({ statusLine, head, body, how }, surface) => {
      expect(statusLine).toBe('HTTP/1.0 200 OK')
      expect(head).not.toMatch(/content-length|transfer-encoding/i)
      expect([begun(body), isWhole(surface, body), how]).toEqual([true, false, 'closed'])
    },
  },
  'says that the answer is longer than it is': {
    sees: ({ body, complete, how }) => expect([begun(body), complete, how]).toEqual([true, false, 'closed']),
  },
  'says that the answer is shorter than it is': {
    sees: ({ head, body }, surface) => {
      const length = Number(/Content-Length: (\d+)/.exec(head)?.[1])
      expect(Buffer.byteLength(body)).toBeGreaterThan(length)
      expect(isWhole(surface, body.slice(0, length))).toBe(false)
    },
  },
  'writes a chunk whose length is no number': {
    sees: ({ raw, body, complete }) => {
      expect([begun(body), complete]).toEqual([true, false])
      expect(raw.toString('latin1')).toContain('\r\nzzz\r\n')
    },
  },
  'ends with trailers that are nonsense': {
    sees: ({ raw, body }, surface) => {
      expect(isWhole(surface, body)).toBe(true)
      expect(raw.toString('latin1')).toContain('0\r\nno colon here\r\n')
    },
  },
  'sends two answers to one question': {
    sees: ({ raw, body }) => {
      expect(raw.toString('latin1').match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
      expect(body).toContain('first')
      expect(body).not.toContain('second')
    },
  },
  'sends headers without end': {
    until: ({ raw }) => raw.length > 1_000_000,
    sees: ({ raw }) => {
      expect(raw.length).toBeGreaterThan(1_000_000)
      expect(raw.includes('\r\n\r\n')).toBe(false)
    },
  },
  'answers something that is not HTTP': {
    sees: ({ raw }) => expect(raw.toString()).toMatch(/^SSH-2\.0/),
  },
  'switches to another protocol': {
    sees: ({ statusLine }) => expect(statusLine).toBe('HTTP/1.1 101 Switching Protocols'),
  },
}

test('every one has a row that says what it does', () => {
  expect(hostileConnections.map(({ name }) => name).toSorted()).toEqual(Object.keys(expectations).toSorted())
})

test.each(rows(hostileConnections))('what "%s" says happens on %s', async (name, surface) => {
  const expectation = expectations[name]
  expectation?.sees(await observe(surface, name, expectation.until), surface)
})
