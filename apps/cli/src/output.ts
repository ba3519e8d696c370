import { fit, neutraliseLine, pad, safeJson, widthOf } from './terminal-text.ts'

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold'

export type Stream = {
  write(text: string): unknown
  isTTY?: boolean | undefined
  columns?: number | undefined
}

export type Output = {
  readonly json: boolean
  /** Standard output is a terminal: a person reads it. */
  readonly terminal: boolean
  /** Standard error is a terminal: a line may be rewritten there. */
  readonly lively: boolean
  readonly columns: number
  /** What was asked for, as it is. */
  data(text: string): void
  line(text: string): void
  document(value: unknown): void
  table(columns: Column[], rows: string[][]): void
  /** Everything else. */
  note(text: string): void
  /** Replaces the last status; kept off anything but a terminal. Empty removes it. */
  status(text: string): void
  paint(colour: Colour, text: string): string
}

export type Column = {
  name: string
  /** Columns with the highest number go first when the terminal is narrow; 0 stays. */
  drop?: number
  /** May be cut to fit. */
  cut?: boolean
}

const codes: Record<Colour, [number, number]> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
  dim: [2, 22],
  bold: [1, 22],
}

export function createOutput(options: {
  stdout: Stream
  stderr: Stream
  json: boolean
  colour: boolean
}): Output {
  const { stdout, stderr, json } = options
  const terminal = stdout.isTTY === true
  const lively = stderr.isTTY === true && options.colour
  const columns = Math.max(20, stdout.columns || stderr.columns || 80)
  let status = ''
  // Output that stops in the middle of a line: a note begins a new one, and a status would wipe it away.
  let midLine = false
  const clear = () => {
    if (status !== '') stderr.write('\r\u001b[K')
    status = ''
  }
  return {
    json,
    terminal,
    lively,
    columns,
    data(text) {
      if (text === '') return
      clear()
      midLine = !text.endsWith('\n')
      stdout.write(text)
    },
    line(text) {
      clear()
      stdout.write(`${text}\n`)
    },
    document(value) {
      clear()
      stdout.write(`${safeJson(value, 2)}\n`)
    },
    table(header, rows) {
      clear()
      stdout.write(renderTable(header, rows, terminal ? columns : Number.POSITIVE_INFINITY))
    },
    note(text) {
      clear()
      stderr.write(`${midLine && terminal && stderr.isTTY === true ? '\n' : ''}${text}\n`)
      midLine = false
    },
    status(text) {
      if (!lively || (midLine && terminal)) return
      clear()
      status = fit(text, (stderr.columns || 80) - 1)
      stderr.write(status)
    },
    paint(colour, text) {
      if (!options.colour || !terminal) return text
      const [on, off] = codes[colour]
      return `\u001b[${on}m${text}\u001b[${off}m`
    },
  }
}

const gap = 2
const leastCut = 8

/** Aligned columns; where they do not fit, those that may go are left out, then the one that may be cut is cut. */
export function renderTable(header: Column[], rows: string[][], columns: number): string {
  const cells = rows.map((row) => row.map((cell) => neutraliseLine(cell)))
  const natural = header.map((column, index) =>
    Math.max(widthOf(column.name), ...cells.map((row) => widthOf(row[index] ?? ''))),
  )
  const shown = header.map((_, index) => index)
  const least = () =>
    shown.reduce((sum, index) => {
      const width = natural[index] ?? 0
      return sum + gap + (header[index]?.cut === true ? Math.min(width, leastCut) : width)
    }, -gap)
  while (least() > columns) {
    const next = shown.toSorted((a, b) => (header[b]?.drop ?? 0) - (header[a]?.drop ?? 0))[0]
    if (next === undefined || (header[next]?.drop ?? 0) === 0) break
    shown.splice(shown.indexOf(next), 1)
  }
  const cutting = shown.find((index) => header[index]?.cut === true)
  const others = shown.reduce(
    (sum, index) => sum + gap + (index === cutting ? 0 : (natural[index] ?? 0)),
    -gap,
  )
  const widths = shown.map((index) =>
    index === cutting
      ? Math.max(leastCut, Math.min(natural[index] ?? 0, columns - others))
      : (natural[index] ?? 0),
  )
  const print = (row: string[]) =>
    shown
      .map((index, place) => pad(fit(row[index] ?? '', widths[place] ?? 0), widths[place] ?? 0))
      .join(' '.repeat(gap))
      .trimEnd()
  return [header.map((column) => column.name.toUpperCase()), ...cells]
    .map((row) => `${print(row)}\n`)
    .join('')
}
