import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { checkKinds } from '@muster/contract/checks'
import { lanes, tiers, wallKinds } from '@muster/contract/task-states'
import { expect, test } from 'vitest'

type Described = {
  name: string
  summary: string
  options: { flags: string; summary: string }[]
  commands: Described[]
}

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const tree = JSON.parse(
  execFileSync(process.execPath, [main, 'describe', '--json'], { encoding: 'utf8' }),
) as Described

function flatten(command: Described, path: string[]): { path: string[]; command: Described }[] {
  return [{ path, command }, ...command.commands.flatMap((child) => flatten(child, [...path, child.name]))]
}
const all = flatten(tree, [])

test.each(all.map(({ path, command }) => [path.join(' ') || 'muster', command] as const))(
  '"%s" has a summary, --json and --no-color',
  (_, command) => {
    const flags = command.options.map((option) => option.flags)
    expect(command.summary).not.toBe('')
    expect(flags).toContain('--json')
    expect(flags).toContain('--no-color')
  },
)

test('every command explains itself with two examples', () => {
  for (const { path } of all) {
    const help = execFileSync(process.execPath, [main, ...path, '--help'], { encoding: 'utf8' })
    expect(help.split('\nExamples:\n')[1]?.match(/^ {2}\$ /gm)?.length).toBeGreaterThanOrEqual(2)
  }
}, 60_000)

test('the help of "task add" names the words of the contract', () => {
  const add = all.find(({ path }) => path.join(' ') === 'task add')?.command
  const summary = (flag: string) =>
    add?.options.find((option) => option.flags.startsWith(flag))?.summary ?? ''
  expect(summary('--lane')).toBe(`one of ${lanes.join(', ')}`)
  expect(summary('--tier')).toBe(`one of ${tiers.join(', ')}`)
  expect(summary('--wall')).toBe(`one of ${wallKinds.join(', ')}`)
  for (const kind of checkKinds) expect(summary('--check')).toContain(kind)
})

test('the surface that scripts rely on is there', () => {
  const paths = all.map(({ path }) => path.join(' '))
  const wanted =
    'up down status doctor sign-in|worker join|worker list|repo add|repo list|task add|task list|task show|' +
    'task watch|task log|task diff|task cancel|task retry|token create|token list|token revoke|event list|' +
    'message send|message list|channel list|channel create|channel history|queue show|queue pause|queue resume|' +
    'queue stop|worker cordon|worker uncordon|worker drain|worker stop|task push|task history|task delete|' +
    'task dead list|task dead retry|task dead delete|repo activate|repo deactivate'
  expect(paths).toEqual(
    expect.arrayContaining(wanted.replaceAll(/^[^|]+/g, (few) => few.replaceAll(' ', '|')).split('|')),
  )
})
