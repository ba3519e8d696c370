import type { Step } from '@muster/contract/loop'
import { expect, test } from 'vitest'
import { Refusal } from './fake-hub.ts'
import { addRun, commit, passed, report, seed, smallDiff } from './seed.ts'
import { setStage } from './stage.ts'

const stage = setStage()
const { hub } = stage
const seeded = seed(hub)

test('output appears while it is written, marked by its stream, and the page follows it', async () => {
  const task = hub.addTask({
    title: 'Talkative',
    state: 'running',
    phase: 'running',
    startedAt: new Date().toISOString(),
  })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Talkative' }).click()
  await page.getByText('Output appears here').or(page.getByText('No output yet.')).waitFor()
  hub.write(task, 'first line\n')
  const log = page.getByRole('log', { name: 'Output' })
  await log.getByText('first line').waitFor()
  hub.write(task, 'a warning\n', 'stderr')
  await log.getByText('a warning').waitFor()
  expect(await log.getByText('err', { exact: true }).count()).toBe(1)
  for (let index = 0; index < 200; index += 1) hub.write(task, `step ${index}\n`)
  await log.getByText('step 199').waitFor()

  await page.getByRole('button', { name: 'Following' }).click()
  hub.write(task, `${'more\n'.repeat(100)}the end\n`)
  await page.getByText('303 lines').waitFor()
  expect(await log.getByText('the end').count()).toBe(0)
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await log.getByText('the end').waitFor()
})

test('a phase that changes and the ending are shown without a reload', async () => {
  const task = hub.addTask({
    title: 'Going on',
    state: 'running',
    phase: 'preparing',
    startedAt: new Date().toISOString(),
  })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Going on' }).click()
  const phases = page.getByRole('list', { name: 'Phases of the run' })
  await phases.getByText('Preparing').waitFor()
  hub.progress(task, 'Cloning demo', 45)
  await page.getByText('Cloning demo').waitFor()
  hub.change(task, { phase: 'verifying', state: 'verifying' })
  await expect.poll(() => phases.locator('[aria-current=step]').textContent()).toContain('Verifying')
  hub.change(
    task,
    { phase: null, state: 'dead', ending: 'timed_out', reason: 'The deadline of 30 minutes passed.' },
    'task.dead',
  )
  const state = page.getByLabel('State of the task')
  await state.getByText('Timed out').waitFor()
  await state.getByText('The deadline of 30 minutes passed.').waitFor()
})

test('twenty thousand lines leave the document small and the page quick', async () => {
  const task = hub.addTask({ title: 'Loud', state: 'running' })
  for (let batch = 0; batch < 20; batch += 1) {
    hub.write(
      task,
      Array.from({ length: 1_000 }, (_, line) => `line ${batch * 1_000 + line} ${'x'.repeat(40)}\n`).join(''),
    )
  }
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Loud' }).click()
  const log = page.getByRole('log', { name: 'Output' })
  await log.getByText(/^line 19999 /).waitFor()
  expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(1_500)
  await log.press('Home')
  await log.getByText(/^line 0 /).waitFor()
})

test('evidence names every check with its status in words, and a failed one shows its output', async () => {
  const page = await stage.enter()
  await page.goto(`${hub.url}/tasks/${seeded.dead.short}`)
  const checks = page.getByRole('list', { name: 'Checks' }).getByRole('listitem')
  await checks.first().waitFor()
  expect(await checks.count()).toBe(2)
  await checks.nth(0).getByText('Passed').waitFor()
  await checks.nth(1).getByText('Failed', { exact: true }).waitFor()
  await checks.nth(1).getByText('adds the tax once').waitFor()
  await page.getByText('1 of 2 passed').waitFor()
  for (const note of ['Taken from the base', 'Left out', 'Merged'])
    await page.getByText(note, { exact: true }).waitFor()
  await page.getByText('a test that existed before the run').waitFor()
})

test('the diff is grouped by file with its signs, and a large file starts folded', async () => {
  const big = Array.from({ length: 900 }, (_, line) => `+line ${line}`).join('\n')
  const task = hub.addTask({ title: 'Big change', state: 'done', commit })
  hub.diffs.set(
    task.id,
    `${smallDiff}diff --git a/big.txt b/big.txt\nnew file mode 100644\n--- /dev/null\n+++ b/big.txt\n@@ -0,0 +1,900 @@\n${big}\n`,
  )
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Big change' }).click()
  const changes = page.getByRole('region', { name: 'Changes' })
  await changes.getByText('4 files').waitFor()
  const greet = changes.getByRole('table', { name: 'Changes in src/greet.ts' })
  await greet.getByRole('row', { name: /removed: export function greet\(name\) \{/ }).waitFor()
  await greet.getByRole('row', { name: /added: export function greet\(name: string\)/ }).waitFor()
  expect(await changes.getByText('line 5', { exact: true }).count()).toBe(0)
  await changes.getByText('big.txt').first().click()
  await changes.getByRole('row', { name: /added: line 5$/ }).waitFor()
  await changes.getByRole('button', { name: 'Show 400 more lines' }).click()
  await changes.getByRole('row', { name: /added: line 700$/ }).waitFor()
})

test('cancel asks first and then shows what became of the task', async () => {
  const task = hub.addTask({ title: 'Unwanted' })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Unwanted' }).click()
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Cancel this task?' })
  await dialog.getByRole('button', { name: 'Keep it' }).click()
  await dialog.waitFor({ state: 'hidden' })
  expect(task.state).toBe('queued')
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  await dialog.getByRole('button', { name: 'Cancel task' }).click()
  await page.getByLabel('State of the task').getByText('Cancelled by owner.').waitFor()
  expect(task.state).toBe('cancelled')
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.getByLabel('State of the task').getByText('Queued').waitFor()
})

test('a verb that the state refuses does nothing and says why', async () => {
  const page = await stage.enter()
  await page.goto(`${hub.url}/tasks/${seeded.done.short}`)
  const retry = page.getByRole('button', { name: 'Retry' })
  await retry.waitFor()
  expect(await retry.getAttribute('aria-disabled')).toBe('true')
  expect(await retry.getAttribute('title')).toBe(
    'This task is done; retry works when it is dead or cancelled.',
  )
  await retry.click({ force: true })
  expect(
    hub.calls.some(({ name, params }) => name === 'retryTask' && params['task'] === seeded.done.short),
  ).toBe(false)
})

test('a refusal that crosses the click is shown in the words of the hub', async () => {
  const task = hub.addTask({ title: 'Race', state: 'dead', ending: 'lost' })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Race' }).click()
  await page.getByRole('button', { name: 'Retry' }).waitFor()
  hub.refusals.set(
    'retryTask',
    new Refusal('task_state_refuses', `Task ${task.short} is queued; retry is refused.`),
  )
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.getByRole('alert').getByText('retry is refused').waitFor()
})

test('evidence arrives on the page the moment the task is done', async () => {
  const task = hub.addTask({
    title: 'Nearly there',
    state: 'verifying',
    phase: 'verifying',
    declaredChecks: [{ kind: 'command_succeeds', target: 'npm run lint' }],
  })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Nearly there' }).click()
  await page.getByText('Not run yet').waitFor()
  const checks = [passed('npm run lint')]
  addRun(hub, task, { ending: 'verified', report: report(checks), commit })
  hub.diffs.set(task.id, smallDiff)
  hub.change(
    task,
    { state: 'done', ending: 'verified', phase: null, checks, commit, branch: 'muster/shell/nearly-there' },
    'task.done',
  )
  await page.getByText('1 of 1 passed').waitFor()
  await page.getByRole('table', { name: 'Changes in src/greet.ts' }).waitFor()
  await page.getByText('muster/shell/nearly-there').waitFor()
})

test('a task that does not exist is said not to', async () => {
  const page = await stage.enter()
  await page.goto(`${hub.url}/tasks/00000000`)
  await page.getByRole('heading', { name: 'There is no such task' }).waitFor()
  await page.goto(`${hub.url}/nowhere`)
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
})

test('what an agent does is shown step by step, and what its model says while it says it', async () => {
  const task = hub.addTask({
    title: 'Prompted',
    state: 'running',
    phase: 'running',
    run: null,
    prompt: 'Make the total right',
    practice: true,
    startedAt: new Date().toISOString(),
  })
  const page = await stage.enter()
  await page.getByRole('link', { name: 'Prompted' }).click()
  const steps = page.getByRole('region', { name: 'Steps' })
  await steps.getByText('Steps appear here once its model is asked.').waitFor()
  await steps.getByText('practice model: plays a script').waitFor()
  await page.getByText('No output yet.').waitFor()

  hub.delta(task, 'Let me ')
  hub.delta(task, 'look.')
  await steps.getByText('Let me look.').waitFor()
  hub.step(task, aStep({ seq: 1, kind: 'model', text: 'Let me look, then.', usage }))
  await steps.getByText('Let me look, then.').waitFor()
  expect(await steps.getByText('The model says').count()).toBe(0)
  await steps.getByText('about 1,200 tokens in, 30 out').waitFor()
  hub.step(
    task,
    aStep({
      seq: 2,
      tool: 'run_command',
      args: '{"command":"<b>x</b>"}',
      success: false,
      code: 'COMMAND_BLOCKED',
    }),
  )
  await steps.getByText('{"command":"<b>x</b>"}').waitFor()
  await steps.getByText('COMMAND_BLOCKED').waitFor()
  await steps.getByText('2 steps').waitFor()
})

const usage = {
  inputTokens: 1_200,
  outputTokens: 30,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  estimated: true,
}

function aStep(part: Partial<Step>): Step {
  return {
    seq: 1,
    kind: 'tool',
    model: 'practice',
    provider: 'practice',
    tool: null,
    args: '',
    result: '',
    text: '',
    success: true,
    code: null,
    usage: null,
    ms: 12,
    runId: crypto.randomUUID(),
    endpoint: null,
    costMicroUsd: 0,
    at: new Date().toISOString(),
    ...part,
  }
}
