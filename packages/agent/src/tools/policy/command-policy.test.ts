import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeCommand } from './command-policy.ts'
import { allowedCommands, hiddenCommands, refusedCommands } from './command-samples.fixture.ts'

test.each(allowedCommands)('runs: %s', (command) => {
  expect(judgeCommand(command)).toEqual({ ok: true })
})

test.each(refusedCommands)('refuses as %s: %s', (rule, command) => {
  expect(judgeCommand(command)).toMatchObject({ ok: false, code: 'COMMAND_BLOCKED', rule })
})

test.each(hiddenCommands)('cannot see what it runs: %s', (command) => {
  expect(judgeCommand(command)).toMatchObject({ ok: false, code: 'COMMAND_UNREADABLE' })
})

test('the tables are as long as they should be', () => {
  expect(allowedCommands.length).toBeGreaterThanOrEqual(80)
  expect(refusedCommands.length + hiddenCommands.length).toBeGreaterThanOrEqual(120)
})

test('a run that has a network may fetch, and may still not serve, push or escalate', () => {
  for (const command of ['curl https://example.org', 'ssh host true', 'exec 3<>/dev/tcp/example.org/80']) {
    expect(judgeCommand(command, { network: true })).toEqual({ ok: true })
  }
  for (const command of ['sudo curl x', 'python3 -m http.server', 'git push', 'node --inspect x.js']) {
    expect(judgeCommand(command, { network: true }).ok).toBe(false)
  }
})

test('a relative path is judged from the folder that the command runs in', () => {
  expect(judgeCommand('rm -rf .git', { cwd: 'src' })).toEqual({ ok: true })
  expect(judgeCommand('rm -rf ../.git', { cwd: 'src' }).ok).toBe(false)
})

test('a refusal says the rule and what to do instead', () => {
  const verdict = judgeCommand('cd src && curl -O https://example.org/x')
  expect(verdict).toMatchObject({
    error: expect.stringMatching(/"curl".*network_fetcher.*no network/s) as string,
  })
})

/** Ways of writing a letter of a command that a shell takes for the letter. */
const spelling = (letter: string) =>
  fc.constantFrom(
    letter,
    `'${letter}'`,
    `"${letter}"`,
    `\\${letter}`,
    `""${letter}`,
    `${letter}''`,
    `$'${letter}'`,
    `\\\n${letter}`,
  )
const spelled = (word: string) => fc.tuple(...[...word].map(spelling)).map((letters) => letters.join(''))

/** What may stand around a simple command only. */
const prefixes: ((command: string) => string)[] = [
  (command) => command,
  (command) => `A=1 B="2 3" ${command}`,
  (command) => `env -i A=1 ${command}`,
  (command) => `command ${command}`,
  (command) => `exec ${command}`,
  (command) => `nohup ${command} &`,
  (command) => `timeout -k 5 10s nice -n 5 ${command}`,
  (command) => `! ${command}`,
  (command) => `time ${command}`,
  (command) => `find . -name x -exec ${command} \\;`,
  (command) => `${command} > /dev/null 2>&1`,
  (command) => `2> /dev/null ${command}`,
]

/** What may stand around any text. */
const wrappings: ((command: string) => string)[] = [
  (command) => command,
  (command) => `true; ${command}`,
  (command) => `true && ${command}`,
  (command) => `false || ${command}`,
  (command) => `true | ${command}`,
  (command) => `sleep 1 & ${command}`,
  (command) => `echo a\n${command}`,
  (command) => `:; ( ${command} )`,
  (command) => `{ ${command}; }`,
  (command) => `echo $(${command})`,
  (command) => `echo "$(${command})"`,
  (command) => `echo $((1 + $(${command})))`,
  (command) => `cat <(${command})`,
  (command) => `if true; then ${command}; fi`,
  (command) => `while :; do ${command}; break; done`,
  (command) => `for i in 1 2; do ${command}; done`,
  (command) => `case a in b) true ;; *) ${command} ;; esac`,
  (command) => `f() { ${command}; }; f`,
  (command) => `[[ -f x ]] && ${command}`,
  (command) => `eval '${command.replaceAll("'", `'\\''`)}'`,
  (command) => `sh -c '${command.replaceAll("'", `'\\''`)}'`,
  (command) => `bash -lc '${command.replaceAll("'", `'\\''`)}'`,
  (command) => `bash -o pipefail -ec '${command.replaceAll("'", `'\\''`)}' sh`,
  (command) => `trap '${command.replaceAll("'", `'\\''`)}' EXIT`,
  (command) => `bash <<'END'\n${command}\nEND`,
  (command) => `cat <<END\n$(${command})\nEND`,
  (command) => `X=$(${command}) true`,
  (command) => `echo "\${X:-$(${command})}"`,
  (command) => `a=(1 "$(${command})")`,
]

const blocked: [string, string][] = [
  ['curl', ' http://example.org'],
  ['sudo', ' true'],
  ['rm', ' -rf /'],
  ['shutdown', ' now'],
  ['ssh', ' host'],
]

test('however a blocked command is quoted and wherever it stands, it stays blocked', () => {
  const written = fc
    .constantFrom(...blocked)
    .chain(([name, rest]) =>
      fc
        .tuple(spelled(name), fc.constantFrom('', '/usr/bin/', '/bin//'))
        .map(([word, path]) => `${path}${word}${rest}`),
    )
  fc.assert(
    fc.property(
      written,
      fc.constantFrom(...prefixes),
      fc.array(fc.constantFrom(...wrappings), { maxLength: 3 }),
      (command, prefix, wraps) => {
        const text = wraps.reduce((inner, wrap) => wrap(inner), prefix(command))
        expect(judgeCommand(text).ok, text).toBe(false)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('an innocent command stays allowed wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('npm test', 'echo "curl x"', 'node --test', 'git commit -m "remove curl"'),
      fc.constantFrom(...prefixes, ...wrappings),
      (command, wrap) => {
        expect(judgeCommand(wrap(command)), wrap(command)).toEqual({ ok: true })
      },
    ),
  )
})

test('whatever the text is, there is a verdict', () => {
  const pieces = fc.constantFrom(
    ...[
      '"',
      "'",
      '`',
      '$(',
      ')',
      '${',
      '}',
      '((',
      '))',
      '<<E',
      '\nE\n',
      ';',
      '&&',
      '|',
      '&',
      '<(',
      '>',
      '\\',
      '$',
      '{',
      '[[',
      ']]',
    ],
    ...[
      'case',
      'in',
      'esac',
      ';;',
      'for',
      'do',
      'done',
      'function',
      'f()',
      'if',
      'fi',
      'X=',
      '(',
      '#',
      'a',
      ' ',
      '\n',
      'sh -c',
      'eval',
    ],
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
        fc.string({ unit: 'binary', maxLength: 80 }),
      ),
      (text) => {
        expect(typeof judgeCommand(text).ok).toBe('boolean')
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a text that is made to take long does not', () => {
  const started = performance.now()
  const long = [
    '('.repeat(50_000),
    '$('.repeat(40_000),
    '{a,b}'.repeat(10_000),
    'X=$X$X;'.repeat(5_000) + '$X',
    '"$('.repeat(20_000),
    'a;'.repeat(40_000),
    `echo ${'a '.repeat(45_000)}`,
    '`'.repeat(9_999),
    'sh -c "'.repeat(10_000),
    `${'A=b '.repeat(20_000)} $A`,
    '((('.repeat(20_000),
    '$(('.repeat(20_000),
  ]
  for (const text of long) judgeCommand(text)
  // Minutes if any of them were quadratic in a bad way; a second in fact.
  expect(performance.now() - started).toBeLessThan(30_000)
})
