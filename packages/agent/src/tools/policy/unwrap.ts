import { isUnknown, type Argument } from './shell-expand.ts'

/** What a list of arguments comes to: a program, a text for another shell, or something that hides one of them. */
export type Unwrapped = { name: string; args: Argument[] } | { script: string } | { hidden: string }

/** What the command reads: texts, a file, or what is not known. */
export type Input = string[] | 'file' | undefined

const shells = /^(?:ba|da|a|z|k|mk|pdk|fi|tc|c)?sh$|^(?:r|l)bash$/

/** Programs that start another: their options that take a value, and how many words come before the program. */
const wrappers: ReadonlyMap<string, { valued?: RegExp; words?: number }> = new Map(
  Object.entries({
    command: {},
    builtin: {},
    exec: { valued: /^-a$/ },
    nohup: {},
    setsid: {},
    time: { valued: /^-[fo]$/ },
    nice: { valued: /^-n$/ },
    ionice: { valued: /^-[cnp]$/ },
    chrt: { words: 1 },
    taskset: { words: 1 },
    timeout: { valued: /^-[ks]$|^--(signal|kill-after)$/, words: 1 },
    stdbuf: { valued: /^-[ioe]$/ },
    unbuffer: {},
    env: { valued: /^-[uC]$|^--(unset|chdir)$/ },
    'cross-env': {},
    'cross-env-shell': {},
    dotenv: { valued: /^-[efvpc]$/ },
    xargs: {
      valued: /^-[IinPLsdEa]$|^--(arg-file|delimiter|max-args|max-procs|max-lines|max-chars|replace)$/,
    },
    parallel: { valued: /^-[jIn]$/ },
    busybox: {},
    toybox: {},
    'busybox.static': {},
    npx: { valued: /^-p$|^--package$/ },
    bunx: {},
    pnpx: {},
    uvx: { valued: /^--(from|with|python)$/ },
    fakeroot: {},
    'dumb-init': {},
    tini: {},
    catchsegv: {},
    strace: { valued: /^-[oeEpPsu]$/ },
    ltrace: { valued: /^-[oeu]$/ },
    watch: { valued: /^-n$|^--interval$/ },
    flock: { valued: /^-[wE]$/, words: 1 },
    script: {},
    winpty: {},
    proxychains: {},
    torsocks: {},
  }),
)

/** `npm exec x`, `pnpm dlx x`, `uv run x`, `pipx run x`: the second word makes it a wrapper. */
const twoWordWrappers: ReadonlyMap<string, RegExp> = new Map(
  Object.entries({
    npm: /^(exec|x)$/,
    pnpm: /^(dlx|exec)$/,
    yarn: /^(dlx|exec)$/,
    bun: /^x$/,
    uv: /^run$/,
    pipx: /^run$/,
    poetry: /^run$/,
    pipenv: /^run$/,
    corepack: /^(yarn|pnpm|npm)$/,
  }),
)

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

export function unwrap(argv: Argument[], input: Input, depth = 0): Unwrapped[] {
  const [first, ...args] = argv
  if (first === undefined) return []
  const path = first.text.startsWith('=') ? first.text.slice(1) : first.text
  const name = baseName(path)
  if (depth > 20) return [{ hidden: 'a command is wrapped too often' }]
  if (name === '' && path !== '') return []
  if (isUnknown(name)) return [{ hidden: 'the name of a command is not written out' }]
  if (first.isPattern && !/^\[\[?$|^\]\]?$/.test(name))
    return [{ hidden: 'the name of a command is a pattern' }]

  const own: Unwrapped = { name, args }
  if (shells.test(name)) return [own, ...shellTexts(args, input)]
  const texts = textsOf(name, args)
  if (texts !== undefined) return [own, ...texts.map(asScript)]
  if (name === 'command' && args.some(({ text }) => /^-\w*[vV]/.test(text))) return [own]
  const inner = innerCommands(name, args, input)
  return [
    own,
    ...inner.flatMap((each) => unwrap(each, input, depth + 1)),
    ...(name === 'xargs' ? fromInput(args, input) : []),
  ]
}

/** What a shell is told to run: the text after -c, or what it reads. A file of commands is not looked into. */
function shellTexts(args: Argument[], input: Input): Unwrapped[] {
  for (const [at, { text }] of args.entries()) {
    if (/^[-+]o$|^--(rcfile|init-file)$/.test(args[at - 1]?.text ?? '')) continue
    if (/^-[a-zA-Z]*c[a-zA-Z]*$/.test(text)) {
      const script = args.slice(at + 1).find(({ text }) => !/^[-+]\w/.test(text))
      return [
        script === undefined ? { hidden: 'a shell gets its commands from elsewhere' } : asScript(script.text),
      ]
    }
    if (text === '--version' || text === '--help') return []
    if (/^[-+]/.test(text)) continue
    return text === '/dev/stdin' || text === '-'
      ? readTexts(input)
      : isUnknown(text) && text.length === 1
        ? [{ hidden: 'a shell gets its commands from elsewhere' }]
        : []
  }
  return readTexts(input)
}

function readTexts(input: Input): Unwrapped[] {
  if (input === 'file') return []
  if (input === undefined) return [{ hidden: 'a shell reads its commands from elsewhere' }]
  return input.map(asScript)
}

function asScript(text: string): Unwrapped {
  return isUnknown(text) ? { hidden: 'a text that is run as commands is not written out' } : { script: text }
}

/** Arguments of programs that take commands as text. */
function textsOf(name: string, args: Argument[]): string[] | undefined {
  const words = args.map(({ text }) => text)
  const after = (option: RegExp): string[] =>
    words.flatMap((word, at) =>
      option.test(word) && words[at + 1] !== undefined ? [words[at + 1] as string] : [],
    )
  if (name === 'eval') return [words.join(' ')]
  if (name === 'trap') return words[0] === undefined || /^(-|-[lp])$/.test(words[0]) ? [] : [words[0]]
  if (name === 'alias') return words.flatMap((word) => /^[^=]+=(.*)$/s.exec(word)?.[1] ?? [])
  if (name === 'watch' || name === 'parallel') return undefined
  if (
    (name === 'script' || name === 'su' || name === 'runuser' || name === 'flock') &&
    after(/^-c$|^--command$/).length > 0
  ) {
    return after(/^-c$|^--command$/)
  }
  if (name === 'env') {
    const split = words.flatMap(
      (word, at) =>
        /^(?:-\w*S|--split-string=)(.+)$/s.exec(word)?.[1] ??
        (/^(-\w*S|--split-string)$/.test(word) ? (words[at + 1] ?? []) : []),
    )
    return split.length > 0
      ? split.map((text) => [text, ...words.slice(words.findIndex((w) => w.includes(text)) + 1)].join(' '))
      : undefined
  }
  if (name === 'git') return gitTexts(words)
  if (name === 'npm' || name === 'npx') {
    const calls = after(/^(-c|--call)$/)
    return calls.length > 0 ? calls : undefined
  }
  return undefined
}

function gitTexts(words: string[]): string[] | undefined {
  const texts = words.flatMap((word, at) => {
    const [, alias] = /^alias\.[\w-]+=!(.*)$/s.exec(word) ?? []
    if (alias !== undefined) return [alias]
    const before = words[at - 1] ?? ''
    if (before.startsWith('alias.') && word.startsWith('!')) return [word.slice(1)]
    if (words.includes('rebase') && /^(-x|--exec)$/.test(before)) return [word]
    if (/^(--(tree|index|msg|env|commit|parent)-filter)$/.test(before)) return [word]
    return /^--exec=(.*)$/s.exec(word)?.slice(1) ?? []
  })
  const each = words.indexOf('foreach')
  if (words.includes('submodule') && each !== -1) {
    texts.push(
      words
        .slice(each + 1)
        .filter((word) => !/^--(recursive|quiet)$/.test(word))
        .join(' '),
    )
  }
  const run = words.indexOf('run')
  if (words.includes('bisect') && run !== -1) texts.push(words.slice(run + 1).join(' '))
  return texts.length > 0 ? texts : undefined
}

/** The commands that a program starts with its own arguments. */
function innerCommands(name: string, args: Argument[], input: Input): Argument[][] {
  if (name === 'find' || name === 'fd' || name === 'fdfind') return findCommands(args)
  const second = twoWordWrappers.get(name)
  if (second !== undefined) {
    const at = args.findIndex(({ text }) => !text.startsWith('-'))
    return second.test(args[at]?.text ?? '') ? [skipOptions(args.slice(at + 1), {})] : []
  }
  const wrapper = wrappers.get(name)
  if (wrapper === undefined) return []
  const inner = skipOptions(args, wrapper)
  if (name !== 'xargs' || inner.length === 0) return [inner]
  // The words that come in are arguments like the others.
  const words = Array.isArray(input)
    ? input.flatMap((text) => text.split(/\s+/)).filter((word) => word !== '')
    : []
  return [[...inner, ...words.slice(0, 200).map((text) => ({ text, isPattern: false }))]]
}

function skipOptions(
  args: Argument[],
  { valued, words = 0 }: { valued?: RegExp; words?: number },
): Argument[] {
  let at = 0
  for (let left = words; at < args.length; at += 1) {
    const { text } = args[at] as Argument
    if (valued?.test(text)) at += 1
    else if (/^[A-Za-z_]\w*=/.test(text) || /^[-+]./.test(text) || text === '-') continue
    else if (left > 0) left -= 1
    else break
  }
  return args.slice(at)
}

function findCommands(args: Argument[]): Argument[][] {
  return args.flatMap(({ text }, at) => {
    if (!/^-(exec|execdir|ok|okdir|x|X)$|^--exec(-batch)?$/.test(text)) return []
    const rest = args.slice(at + 1)
    const end = rest.findIndex(({ text }) => text === ';' || text === '+')
    return [end === -1 ? rest : rest.slice(0, end)]
  })
}

/** `xargs -I{} sh -c '{}'`: what comes in would be run as commands. */
function fromInput(args: Argument[], input: Input): Unwrapped[] {
  const words = args.map(({ text }) => text)
  const shell = words.findIndex((word) => shells.test(baseName(word)))
  if (shell === -1) return []
  const at = words.findIndex((word, n) => n > shell && /^-[a-zA-Z]*c[a-zA-Z]*$/.test(word))
  const script = words[at + 1]
  if (at !== -1 && script === undefined)
    return Array.isArray(input)
      ? input.map(asScript)
      : [{ hidden: 'a shell gets its commands from elsewhere' }]
  const marks = words.flatMap((word, n) =>
    word === '-I' ? [words[n + 1] ?? '{}'] : (/^-I(.+)$/.exec(word)?.slice(1) ?? []),
  )
  const mark = marks[0]
  if (mark === undefined || script === undefined || !script.includes(mark)) return []
  if (Array.isArray(input)) return input.map((text) => asScript(script.replaceAll(mark, () => text)))
  return new RegExp(`(^|[;&|(\\n\`]|\\$\\()\\s*${mark.replaceAll(/[^\w]/g, '\\$&')}`).test(script)
    ? [{ hidden: 'what comes in is run as a command' }]
    : []
}
