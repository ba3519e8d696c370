/**
 * A shell pattern as a test of a path: `*` and `?` stay within a folder, `**` crosses them, `{a,b}` and `[a-z]` choose. A
 * pattern without a slash is about the file's name, in whatever folder, as in .gitignore.
 */
export function globToTest(glob: string): (path: string) => boolean {
  const anchored = glob.replace(/^\.?\//, '')
  const source = anchored.includes('/') ? translate(anchored) : `(?:.*/)?${translate(anchored)}`
  try {
    const pattern = new RegExp(`^${source}$`, 's')
    return (path) => pattern.test(path)
  } catch {
    return (path) => path === glob
  }
}

function translate(glob: string): string {
  let source = ''
  let braces = 0
  for (let at = 0; at < glob.length; at += 1) {
    const letter = glob[at] as string
    if (glob.startsWith('**/', at)) {
      source += '(?:.*/)?'
      at += 2
    } else if (glob.startsWith('**', at)) {
      source += '.*'
      at += 1
    } else if (letter === '*') source += '[^/]*'
    else if (letter === '?') source += '[^/]'
    else if (letter === '{') {
      source += '(?:'
      braces += 1
    } else if (letter === '}' && braces > 0) {
      source += ')'
      braces -= 1
    } else if (letter === ',' && braces > 0) source += '|'
    else if (letter === '[' && glob.indexOf(']', at + 2) > 0) {
      const end = glob.indexOf(']', at + 2)
      source += `[${glob
        .slice(at + 1, end)
        .replace(/^!/, '^')
        .replace(/\\/g, '\\\\')}]`
      at = end
    } else source += letter.replace(/[\\^$.*+?()[\]{}|]/, '\\$&')
  }
  return source
}
