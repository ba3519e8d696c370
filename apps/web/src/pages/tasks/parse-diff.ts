/** A unified diff of git, by file. Nothing in it is trusted to be well formed: what is not understood is shown. */
export type DiffLine = {
  kind: 'add' | 'remove' | 'context' | 'hunk' | 'note'
  text: string
  before: number | null
  after: number | null
}
export type DiffFile = {
  path: string
  from: string | null
  change: string
  added: number
  removed: number
  lines: DiffLine[]
}

export function parseDiff(diff: string): DiffFile[] {
  const files: DiffFile[] = []
  let file: DiffFile | undefined
  // Lines left of the current hunk on either side: inside it, `---` is a removed line and not a header.
  let before = 0
  let after = 0
  let left = { before: 0, after: 0 }
  const lines = diff.split('\n')
  if (lines.at(-1) === '') lines.pop()
  for (const line of lines) {
    if (!/^[-+ \\]|^$/.test(line)) left = { before: 0, after: 0 }
    const inHunk = left.before > 0 || left.after > 0
    if (!inHunk && line.startsWith('diff --git ')) {
      file = { path: pathOf(line), from: null, change: 'changed', added: 0, removed: 0, lines: [] }
      files.push(file)
      continue
    }
    if (file === undefined) continue
    const hunk = inHunk ? null : /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line)
    if (hunk !== null) {
      before = Number(hunk[1])
      after = Number(hunk[3])
      left = { before: Number(hunk[2] ?? 1), after: Number(hunk[4] ?? 1) }
      file.lines.push({ kind: 'hunk', text: line, before: null, after: null })
    } else if (inHunk && line.startsWith('+')) {
      file.added += 1
      left.after -= 1
      file.lines.push({ kind: 'add', text: line.slice(1), before: null, after: after++ })
    } else if (inHunk && line.startsWith('-')) {
      file.removed += 1
      left.before -= 1
      file.lines.push({ kind: 'remove', text: line.slice(1), before: before++, after: null })
    } else if (inHunk && !line.startsWith('\\')) {
      left.before -= 1
      left.after -= 1
      file.lines.push({ kind: 'context', text: line.slice(1), before: before++, after: after++ })
    } else {
      readHeader(file, line)
    }
  }
  return files
}

function readHeader(file: DiffFile, line: string): void {
  if (line.startsWith('+++ ') && line !== '+++ /dev/null')
    file.path = unquoted(line.slice(4)).replace(/^b\//, '')
  else if (line.startsWith('rename from ')) file.from = unquoted(line.slice(12))
  else if (line.startsWith('rename to ')) {
    file.path = unquoted(line.slice(10))
    file.change = 'renamed'
  } else if (line.startsWith('new file mode')) file.change = 'added'
  else if (line.startsWith('deleted file mode')) file.change = 'deleted'
  else if (/^(?:\\|Binary files |GIT binary patch|old mode |new mode )/.test(line)) {
    file.lines.push({ kind: 'note', text: line.replace(/^\\ /, ''), before: null, after: null })
  }
}

/** Both halves of the header name the same file unless it was renamed, and then better lines follow. */
function pathOf(header: string): string {
  const names = header.slice('diff --git '.length)
  return /(?:^|\s)"?b\/(.*?)"?$/.exec(names.slice(Math.floor(names.length / 2)))?.[1] ?? names
}

/** git quotes names with unusual bytes as C strings; the octal bytes are UTF-8. */
function unquoted(name: string): string {
  const inner = /^"(.*)"\t?$/.exec(name)?.[1]
  if (inner === undefined) return name.replace(/\t$/, '')
  const bytes: number[] = []
  const encoder = new TextEncoder()
  for (const [part, octal, escaped] of inner.matchAll(/\\([0-7]{3})|\\(.)|[^\\]+/g)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else
      bytes.push(...encoder.encode(escaped === undefined ? part : ({ n: '\n', t: '\t' }[escaped] ?? escaped)))
  }
  return new TextDecoder().decode(new Uint8Array(bytes))
}
