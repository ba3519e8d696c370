import { expect, test } from 'vitest'
import { createOutput, renderTable } from './output.ts'
import { widthOf } from './terminal-text.ts'

const header = [
  { name: 'task' },
  { name: 'state' },
  { name: 'title', cut: true },
  { name: 'repo', drop: 2 },
  { name: 'created', drop: 3 },
]
const rows = [['7f3a9c21', 'done', 'Add a licence that everybody can live with', 'shop', '2026-01-01 10:00']]

test('a table fits into 40 columns', () => {
  const lines = renderTable(header, rows, 40).trimEnd().split('\n')
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(40)
  expect(lines[1]).toMatch(/^7f3a9c21 {2}done {3}Add a/)
})

test('nothing is cut where no terminal limits it', () => {
  expect(renderTable(header, rows, Number.POSITIVE_INFINITY)).toContain('everybody can live with')
})

test('a title cannot add a line or a colour to a table', () => {
  const table = renderTable(header, [['1', 'done', 'a\n\u001b[31mb', 'r', 'c']], 80)
  expect(table.split('\n')).toHaveLength(3)
  expect(table).not.toContain('\u001b')
})

function capture(isTTY: boolean, colour: boolean) {
  const written = { out: '', err: '' }
  const output = createOutput({
    stdout: { isTTY, write: (text) => (written.out += text) },
    stderr: { isTTY, write: (text) => (written.err += text) },
    json: false,
    colour,
  })
  return { written, output }
}

test('colours are for terminals that want them', () => {
  expect(capture(true, true).output.paint('red', 'x')).toBe('\u001b[31mx\u001b[39m')
  expect(capture(true, false).output.paint('red', 'x')).toBe('x')
  expect(capture(false, true).output.paint('red', 'x')).toBe('x')
})

test('a status line is shown on a terminal only and gives way to what stays', () => {
  const live = capture(true, true)
  live.output.status('working')
  live.output.note('done')
  expect(live.written.err).toBe('working\r\u001b[Kdone\n')
  const piped = capture(false, true)
  piped.output.status('working')
  expect(piped.written.err).toBe('')
})

test('a line that an agent has not finished is neither wiped away nor continued by us', () => {
  const { output, written } = capture(true, true)
  output.data('half a line')
  output.status('working')
  output.note('next step')
  expect(written.err).toBe('\nnext step\n')
})
