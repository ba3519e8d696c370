import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newToolbox } from '../tools/toolbox.fixture.ts'
import { runLoop, type LoopCheckpoint } from './loop.ts'
import { call, loopInput, scriptedModel, turns } from './scripted.fixture.ts'

const files = {
  'sum.js': 'export const sum = (a, b) => a - b\n',
  'sum.test.js':
    "import { test } from 'node:test'\nimport { equal } from 'node:assert'\nimport { sum } from './sum.js'\ntest('sum', () => equal(sum(2, 2), 4))\n",
  'package.json': '{ "type": "module" }\n',
}

/** What a small model does: calls in the wrong form first, and looks at what came of it. */
const repair = turns(
  [
    [call('run_command', { command: 'node --test' })],
    [call('edit_file', { path: 'sum.js', old_string: 'a - c', new_string: 'a + b' })],
    [call('edit_file', { path: 'sum.js', old: 'a - b', wrong: 1 })],
    [call('reed_file', { path: 'sum.js' })],
    [call('edit_file', { path: 'sum.js', old: 'a - b', new: 'a + b' })],
    [call('run_command', { command: 'node --test' })],
  ],
  'sum() adds now.',
)

test('a model that errs in its calls is told how, and its work is in the files and in each checkpoint', async () => {
  const { toolbox, workspace, base } = await newToolbox({ files })
  const { model } = scriptedModel(repair)
  const found: (string | boolean | null)[][] = []
  const checkpoint = async ({ step, changed }: LoopCheckpoint) => {
    if (step.kind !== 'tool') return undefined
    const files = changed ? await toolbox.checkpoint(base) : undefined
    found.push([step.tool, step.code, files?.changed ?? false])
    return files
  }
  const end = await runLoop(loopInput(model, toolbox, { on: { checkpoint } }).input)
  expect(end).toMatchObject({ kind: 'final_answer', totals: { filesWritten: ['sum.js'], toolCalls: 6 } })
  expect(readFileSync(join(workspace, 'sum.js'), 'utf8')).toBe('export const sum = (a, b) => a + b\n')
  expect(found).toEqual([
    ['run_command', 'COMMAND_FAILED', false],
    ['edit_file', expect.any(String), false],
    ['edit_file', 'INVALID_ARGUMENTS', false],
    ['reed_file', 'UNKNOWN_TOOL', false],
    ['edit_file', null, true],
    ['run_command', null, false],
  ])
})

test('a stop ends a command in the wall, and the loop with it', async () => {
  const { toolbox } = await newToolbox({ files })
  const stop = new AbortController()
  const { model, requests } = scriptedModel(() => {
    setTimeout(() => stop.abort(), 300)
    return [call('run_command', { command: 'sleep 60', timeout_s: 60 })]
  })
  const end = await runLoop(loopInput(model, toolbox, { signal: stop.signal }).input)
  expect(end).toMatchObject({ kind: 'stopped', totals: { toolCalls: 0, steps: 1 } })
  expect(requests.length).toBe(1)
  expect(end.totals.elapsedMs).toBeLessThan(60_000)
})

test('a command that outlives the time of the run ends it as timed out, with what was done before', async () => {
  const { toolbox, workspace } = await newToolbox({ files })
  const { model } = scriptedModel(
    turns([
      [call('write_file', { path: 'a.txt', content: 'A' })],
      [call('run_command', { command: 'sleep 60', timeout_s: 60 })],
    ]),
  )
  const end = await runLoop(loopInput(model, toolbox, { limits: { wallMs: 5_000 } }).input)
  expect(end).toMatchObject({
    kind: 'limit',
    ending: 'timed_out',
    totals: { filesWritten: ['a.txt'], toolCalls: 1 },
  })
  expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('A')
})
