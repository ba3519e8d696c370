/**
 * The files that a command names as its judge, so that a run cannot rewrite its judge.
 *
 * Not every file named in a command is one: in `grep -q done NOTES.md` and in `node app.js | grep ok` the file is the
 * work, and taking it from the base would undo the work before looking at it. Judges are: what stands where a program
 * stands, a script given to a shell, a file of rules given by `-f` or `--config`, and a file whose name says that it
 * judges, unless a program that only looks at files is asked to look at it.
 */
export function judgesIn(command: string, exists: (path: string) => boolean): string[] {
  const found = new Set<string>()
  for (const words of simpleCommands(command)) {
    for (const word of judgeWords(words)) {
      const path = toPath(word)
      if (path !== null && exists(path)) found.add(path)
    }
  }
  return [...found]
}

const keywords = /^(if|then|elif|else|while|until|do|!|\w+=.*)$/
const wrappers = /^(env|time|timeout|nice|nohup|exec|command|xargs|sudo|npx)$/
const shells = /^((ba|da|z|k|fi)?sh|source|\.|bats|prove|expect)$/
const lookers =
  /^(test|\[|\[\[|e?grep|fgrep|rg|cat|head|tail|wc|ls|stat|file|find|echo|printf|cp|mv|touch|rm|chmod|git)$/
const ruleOptions: Readonly<Record<string, RegExp>> = {
  make: /^(-f|--file|--makefile)$/,
  just: /^(-f|--justfile)$/,
  awk: /^-f$/,
  sed: /^-f$/,
  jq: /^(-f|--from-file)$/,
  node: /^(-r|--require|--import|--loader)$/,
}

const judging =
  /(^|[/._-])(check|checks|test|tests|spec|verify|verification|validate|assert|accept|acceptance|smoke|e2e|ci|lint|scripts?|tools?)($|[/._-])/i
const expected = /(^|[/._-])(expect|expected|golden|snapshots?|fixtures?|reference|baseline)($|[/._-])/i

function judgeWords(words: readonly string[]): string[] {
  const judges: string[] = []
  let place: 'program' | 'script' | 'argument' = 'program'
  let program = ''
  for (const [at, word] of words.entries()) {
    const isOption = word.startsWith('-')
    if (place === 'program') {
      if (keywords.test(word) || isOption || /^\d+[smh]?$/.test(word)) continue
      program = word.slice(word.lastIndexOf('/') + 1)
      if (wrappers.test(program)) continue
      judges.push(word)
      place = shells.test(program) ? 'script' : 'argument'
    } else if (place === 'script') {
      if (isOption) continue
      judges.push(word)
      place = 'argument'
    } else {
      const before = words[at - 1] ?? ''
      const isRule =
        before === '--config' || word.startsWith('--config=') || ruleOptions[program]?.test(before) === true
      if (isRule || expected.test(word) || (judging.test(word) && !lookers.test(program))) judges.push(word)
    }
  }
  return judges
}

/** Words without their quotes. What an expansion makes is not known, and cannot be a path here. */
function simpleCommands(command: string): string[][] {
  return command
    .split(/&&|\|\||[;|&\n(){}`]|\$\(/)
    .map((part) =>
      (part.match(/"[^"]*"|'[^']*'|[^\s"'<>]+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/s, '$2')),
    )
    .filter((words) => words.length > 0)
}

function toPath(word: string): string | null {
  const value = /^--?[\w-]+=(.+)$/.exec(word)?.[1] ?? word
  const path = value.replace(/^(\.\/|\/workspace\/)+/, '').replace(/\/{2,}/g, '/')
  return path === '' || path.startsWith('/') || path.startsWith('-') ? null : path
}
