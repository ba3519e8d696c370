import { expect, test } from 'vitest'
import type { HubLink } from './hub-link.ts'
import { createLog } from './log.ts'
import { createRestart } from './restart.ts'

function restartUnder(supervisor: 'systemd' | 'none', hubIsThere = true) {
  const announced: { cause: string; graceMs: number }[] = []
  const ended: number[] = []
  let drained: (() => void) | undefined
  let hurried = false
  const request = async (message: { cause: string; graceMs: number }) => {
    if (!hubIsThere) throw new Error('disconnected')
    announced.push(message)
  }
  const restart = createRestart({
    supervisor,
    graceMs: 60_000,
    link: () => ({ request }) as unknown as HubLink,
    drain: (_, hurry) => {
      hurry.addEventListener('abort', () => (hurried = true))
      return new Promise((resolve) => (drained = resolve))
    },
    log: createLog('silent'),
    end: (code) => void ended.push(code),
  })
  return {
    restart,
    announced,
    ended,
    drain: () => drained?.(),
    hurried: () => hurried,
    begun: () => drained !== undefined,
  }
}

test('a worker that nobody would start again does not end', () => {
  const { restart, announced, begun } = restartUnder('none')
  restart.request('order', 'ordered')
  restart.request('order', 'ordered', { force: true })
  restart.announce()
  expect(announced).toEqual([])
  expect(begun()).toBe(false)
})

test('it is announced before anything, and the process ends only when nothing is held any more', async () => {
  const { restart, announced, ended, drain } = restartUnder('systemd')
  restart.request('signal', 'SIGUSR2')
  expect(announced).toMatchObject([{ type: 'restarting', cause: 'signal', graceMs: 60_000 }])
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(ended).toEqual([])
  drain()
  await expect.poll(() => ended).toEqual([75])
})

test('a second order with force answers again and cuts the grace off, and the process ends once', async () => {
  const { restart, announced, ended, drain, hurried } = restartUnder('systemd')
  restart.request('order', 'ordered')
  expect(hurried()).toBe(false)
  restart.request('order', 'ordered again', { force: true })
  expect(hurried()).toBe(true)
  expect(announced.map(({ graceMs }) => graceMs)).toEqual([60_000, 0])
  drain()
  await expect.poll(() => ended).toEqual([75])
})

test('a hub that is away does not keep a worker from restarting, and hears of it when it is back', async () => {
  const { restart, ended, drain } = restartUnder('systemd', false)
  restart.request('memory', 'too much')
  drain()
  await expect.poll(() => ended).toEqual([75])
  const later = restartUnder('systemd')
  later.restart.announce()
  expect(later.announced).toEqual([])
  later.restart.request('memory', 'too much')
  later.restart.announce()
  expect(later.announced).toHaveLength(2)
})
