/** Programs whose argument is a script that decides: what it prints or returns is the verdict itself. */
const shells = /^(ba|da|z|k|fi)?sh$|^(source|\.|bats|prove|expect|env|time|timeout|nice|exec|command|xargs)$/
const interpreters =
  /^(node|nodejs|deno|bun|tsx|ts-node|python[\d.]*|pypy[\d.]*|ruby|perl|php|lua[\d.]*|Rscript|julia|elixir|groovy|awk|gawk|sed|jq|pytest|mocha|jest|vitest|ava|tap|rspec|phpunit|make|cmake|ctest|just|task|go)$/

/** A program of this name exists to judge, whichever language it is written in. */
const judging =
  /(^|[/._-])(check|checks|test|tests|spec|verify|verification|validate|assert|accept|acceptance|smoke|e2e|ci|lint|scripts?|tools?|expect|expected|golden|snapshots?|fixtures?|reference|baseline)($|[/._-])/i

/**
 * The files that a command names as its judge, so that a run cannot rewrite its judge.
 *
 * Not every file named in a command is one: in `grep -q done NOTES.md` and in `node app.js | grep ok` the file is the
 * work, and taking it from the base would undo the work before looking at it. Judges are: what stands where a program
 * stands, a script given to a shell, a file after `-f`, `-c` or `--config`, and any file whose name says so.
 */
export function judgesIn(command: string, exists: (path: string) => boolean): string[] {
  const found = new Set<string>()
  for (const words of splitCommands(command)) {
    let program = true
    let given = false
    for (const [at, word] of words.entries()) {
      if (program && /^\w+=/.test(word)) continue
      const path = toPath(word)
      const name = word.slice(word.lastIndexOf('/') + 1)
      const option = /^(-f|-c|--config|--file|--require|-r|--import|--loader)$/.test(words[at - 1] ?? '')
      if (path !== null && exists(path) && (program || given || option || judging.test(path))) found.add(path)
      given = (program || given) && (shells.test(name) || (given && word.startsWith('-')))
      program = program && shells.test(name) ? program : false
      if (interpreters.test(name)) given = false
    }
  }
  return [...found]
}

/** Words of simple commands. Quotes are dropped; a word that an expansion makes is not known and cannot be a path. */
function splitCommands(command: string): string[][] {
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
