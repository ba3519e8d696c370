import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { buildWeb, initialScriptBytes } from '../../apps/web/build.ts'

test('what a first visit loads as JavaScript is within the budget', async () => {
  await buildWeb()
  expect(await initialScriptBytes()).toBeGreaterThan(10_000)
  expect(await initialScriptBytes()).toBeLessThanOrEqual(170_000)
})

test('the page needs neither an inline script nor another host', async () => {
  await buildWeb()
  const html = await readFile(new URL('../../apps/web/dist/index.html', import.meta.url), 'utf8')
  expect(html.match(/<script\b[^>]*>/g)?.every((tag) => tag.includes(' src="/assets/'))).toBe(true)
  expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
})

test('sources that did not change are not built again', async () => {
  await buildWeb()
  expect((await buildWeb()).built).toBe(false)
})
