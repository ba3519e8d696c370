import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { CheckResult } from '@muster/contract/checks'
import { addRun, commit, report } from './seed.ts'
import { setStage } from './stage.ts'

const stage = setStage()
const { hub } = stage

const payload = `"><img src=x onerror="window.canary='img'"><script>window.canary='script'</script><svg onload="window.canary='svg'"><a href="javascript:window.canary='link'">click</a>`

/** A task that carries the payload in everything an agent or a person can write. */
function hostileTask() {
  const check: CheckResult = {
    kind: 'command_succeeds',
    target: payload,
    status: 'fail',
    output: payload,
    ms: 1,
    reason: payload,
  }
  const task = hub.addTask({
    title: payload,
    description: payload,
    run: payload,
    state: 'dead',
    ending: 'execution_failed',
    reason: payload,
    branch: payload,
    worker: payload,
    createdBy: payload,
    mayChange: [payload],
    checks: [check],
  })
  const notes = { restored: [{ path: payload, why: payload }], removed: [], merged: [] }
  addRun(hub, task, {
    reason: payload,
    worker: payload,
    agent: payload,
    report: { ...report([check], 'fail'), proof: notes },
    commit,
  })
  hub.diffs.set(
    task.id,
    `diff --git a/x b/x\n--- a/x\n+++ b/${payload}\n@@ -0,0 +1,1 @@ ${payload}\n+${payload}\n`,
  )
  hub.write(
    task,
    `${payload}\n\u001b]8;;javascript:window.canary='osc'\u0007${payload}\u001b]8;;\u0007\nhttps://evil.example/\n`,
  )
  hub.write(task, `${payload}\n`, 'stderr')
  hub.event('task.dead', task, { reason: payload, worker: payload, branch: payload })
  return task
}

test('nothing that an agent or a person wrote runs or becomes a link on the list and on the task', async () => {
  const task = hostileTask()
  const page = await stage.enter()
  await page.getByRole('link', { name: payload }).first().waitFor()
  await page.goto(`${hub.url}/tasks/${task.short}`)
  await page.getByRole('log', { name: 'Output' }).getByText('https://evil.example/').waitFor()
  await page.getByRole('table', { name: /Changes in/ }).waitFor()
  await page.getByRole('list', { name: 'Checks' }).getByText("window.canary='img'").first().waitFor()
  await page.waitForTimeout(300)
  expect(await page.evaluate('window.canary')).toBeUndefined()
  expect(
    await page.evaluate(
      `document.querySelectorAll('img, svg[onload], [href^="javascript:"], [href*="evil"]').length`,
    ),
  ).toBe(0)
})

test('the canary works: a script that is let in on purpose does set it on the same page', async () => {
  const script = "window.canary = 'injected'"
  const hash = createHash('sha256').update(script).digest('base64')
  const task = hostileTask()
  hub.sabotage = { html: `<script>${script}</script>`, scriptSource: `'sha256-${hash}'` }
  const page = await stage.enter()
  await page.goto(`${hub.url}/tasks/${task.short}`)
  await page.getByRole('log', { name: 'Output' }).waitFor()
  hub.sabotage = null
  expect(await page.evaluate('window.canary')).toBe('injected')
})

test('the policy of the hub alone stops a script that got into the page', async () => {
  hub.sabotage = { html: "<script>window.canary = 'injected'</script>", scriptSource: '' }
  const page = await stage.enter()
  hub.sabotage = null
  expect(await page.evaluate('window.canary')).toBeUndefined()
  expect(page.trouble.splice(0).join()).toContain('Content Security Policy')
})
