import { expect, test } from 'vitest'
import type { OutputChunk } from '@muster/contract/runs'
import { createOutputLines, maxLines, overdrawn } from './output-lines.ts'

function linesOf(...chunks: [OutputChunk['stream'], string, string?][]) {
  const output = createOutputLines((flush) => flush())
  for (const [index, [stream, text, runId = 'r1']] of chunks.entries()) {
    output.add({ seq: index + 1, runId, stream, text, at: '' })
  }
  return output.snapshot()
}

function texts(...chunks: Parameters<typeof linesOf>) {
  return linesOf(...chunks).lines.map((line) => `${line.stream}:${line.text}`)
}

test('a line that comes in pieces is one line', () => {
  expect(texts(['stdout', 'one '], ['stdout', 'two\nthr'], ['stdout', 'ee\n'])).toEqual([
    'stdout:one two',
    'stdout:three',
  ])
})

test('empty lines are kept and the end of the last line opens none', () => {
  expect(texts(['stdout', 'a\n\n'], ['stdout', '\nb\n'])).toEqual([
    'stdout:a',
    'stdout:',
    'stdout:',
    'stdout:b',
  ])
})

test('another stream that breaks in gets a line of its own', () => {
  expect(texts(['stdout', 'half'], ['stderr', 'oops\n'], ['stdout', 'rest\n'])).toEqual([
    'stdout:half',
    'stderr:oops',
    'stdout:rest',
  ])
})

test('another run is set apart from the one before', () => {
  expect(texts(['stdout', 'a', 'r1'], ['stdout', 'b', 'r2'])).toEqual(['stdout:a', 'run:r2', 'stdout:b'])
})

test('the page is told once for many chunks', () => {
  let flushes = 0
  const output = createOutputLines((flush) => setTimeout(flush))
  output.subscribe(() => (flushes += 1))
  for (let seq = 1; seq <= 500; seq += 1)
    output.add({ seq, runId: 'r', stream: 'stdout', text: 'x\n', at: '' })
  return new Promise<void>((resolve) => setTimeout(resolve, 20)).then(() => expect(flushes).toBe(1))
})

test('the oldest lines are dropped and counted when there are too many', () => {
  const { lines, dropped } = linesOf(['stdout', 'x\n'.repeat(maxLines + 7)])
  expect(lines).toHaveLength(maxLines)
  expect(dropped).toBe(7)
})

test('a line that draws over itself shows what it drew last', () => {
  expect(overdrawn('10 %\r50 %\rdone\r')).toBe('done')
})
