import { refuseBinary, readUpTo, withFile } from './file-bytes.ts'
import type { Places } from './place.ts'
import { Refusal } from './refusal.ts'
import { replace } from './write-file.ts'

export type EditFile = { path: string; old: string; new: string; all?: boolean }

const maxFileBytes = 2 ** 20

export function editFile(places: Places, { path, old, new: replacement, all = false }: EditFile) {
  if (old === '')
    throw new Refusal('INVALID_ARGUMENTS', '"old" is empty. Use write_file to write a whole file.')
  if (old === replacement) throw new Refusal('INVALID_ARGUMENTS', '"old" and "new" are the same.')
  return places.writable(path, (place) => {
    const { bytes, mode } = withFile(place, (fd, { size, mode }) => {
      if (size > maxFileBytes) {
        throw new Refusal(
          'FILE_TOO_LARGE',
          `${place.shown} has ${size} bytes; only files up to 1 MB can be edited.`,
        )
      }
      const bytes = readUpTo(fd, size)
      refuseBinary(bytes, place, size)
      return { bytes, mode }
    })
    // As bytes: what is not UTF-8 elsewhere in the file stays what it is.
    const found = positions(bytes, Buffer.from(old))
    if (found.length === 0) throw miss(place.shown, bytes.toString(), old)
    if (found.length > 1 && !all) {
      const lines = found.slice(0, 10).map((at) => lineAt(bytes, at))
      throw new Refusal(
        'MANY_MATCHES',
        `"old" is ${found.length} times in ${place.shown}, at lines ${lines.join(', ')}. Give more of the text around it, or set "all" to true.`,
        { matches: found.length },
      )
    }
    replace(place, splice(bytes, found, Buffer.byteLength(old), Buffer.from(replacement)), mode)
    return { path: place.shown, replacements: found.length, line: lineAt(bytes, found[0] as number) }
  })
}

function positions(bytes: Buffer, wanted: Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + wanted.length))
    found.push(at)
  return found
}

function splice(bytes: Buffer, at: number[], length: number, replacement: Buffer): Buffer {
  const pieces: Buffer[] = []
  let from = 0
  for (const position of at) {
    pieces.push(bytes.subarray(from, position), replacement)
    from = position + length
  }
  return Buffer.concat([...pieces, bytes.subarray(from)])
}

function lineAt(bytes: Buffer, at: number): number {
  let line = 1
  for (let from = bytes.indexOf(10); from !== -1 && from < at; from = bytes.indexOf(10, from + 1)) line += 1
  return line
}

/** Why there is no match, as far as it can be seen: whitespace is what models get wrong. */
function miss(shown: string, text: string, old: string): Refusal {
  const lines = text.split('\n')
  const wanted = old.replace(/^\n+|\n+$/g, '').split('\n')
  const bare = (line: string): string => line.replace(/\s+/g, ' ').trim()
  const start = lines.findIndex((_, at) =>
    wanted.every((line, n) => lines[at + n] !== undefined && bare(lines[at + n] as string) === bare(line)),
  )
  if (start !== -1 && wanted.some((line) => line.trim() !== '')) {
    const actual = lines.slice(start, start + wanted.length).join('\n')
    const why = actual.includes('\r')
      ? 'its lines end with \\r\\n'
      : actual.includes('\t') !== old.includes('\t')
        ? 'tabs and spaces differ'
        : 'only the whitespace differs'
    return new Refusal(
      'NO_MATCH',
      `"old" is not in ${shown} as given: at line ${start + 1} ${why}. Use the text of "actual".`,
      { matches: 0, line: start + 1, actual: actual.slice(0, 4_000) },
    )
  }
  const first = wanted.find((line) => line.trim() !== '') ?? ''
  const near = lines.findIndex((line) => bare(line) === bare(first))
  const where = near === -1 ? '' : ` Its first line is at line ${near + 1}, but what follows differs.`
  return new Refusal(
    'NO_MATCH',
    `"old" is not in ${shown}.${where} Read the file and copy the text exactly.`,
    {
      matches: 0,
      ...(near === -1 ? {} : { line: near + 1 }),
    },
  )
}
