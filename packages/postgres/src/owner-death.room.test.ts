import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freshPlace, gone, guardOf, kill, killed, open, ownerProcess, query } from './cluster-test-place.ts'
import { identify, type ProcessIdentity, serverProcessesOf } from './process-identity.ts'

async function livingProcess(pid: number): Promise<ProcessIdentity> {
  const identity = await identify(pid)
  if (identity === undefined) throw new Error(`process ${pid} does not live`)
  return identity
}

test('kill -9 of the owner leaves no server and no guard after 10 s', async () => {
  const dir = await freshPlace()
  const owner = await ownerProcess(dir)
  const server = await livingProcess(owner.serverPid)
  const guard = await guardOf(dir)
  await killed(owner.child)
  expect(await gone(server, 10_000)).toBe(true)
  expect(await gone(guard, 10_000)).toBe(true)
  expect(await serverProcessesOf(join(dir, 'data'))).toEqual([])
})

test('an open between the death of the owner and the act of its guard gets a server that stays', async () => {
  const dir = await freshPlace()
  const owner = await ownerProcess(dir)
  await query(owner.url, 'create table kept as select 7 as n')
  const guard = await guardOf(dir)
  // A loaded machine may run the guard this late.
  kill(guard.pid, 'SIGSTOP')
  await killed(owner.child)
  setTimeout(() => kill(guard.pid, 'SIGCONT'), 700)
  const cluster = await open(dir)
  expect(await gone(guard, 10_000)).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 700))
  expect(await query(cluster.superuserUrl, 'select n from kept')).toEqual([{ n: 7 }])
})

async function orphan(dir: string) {
  const owner = await ownerProcess(dir)
  // Held still, so that it cannot react when its guard goes.
  owner.child.kill('SIGSTOP')
  kill((await guardOf(dir)).pid)
  await killed(owner.child)
  return { server: await livingProcess(owner.serverPid), owner }
}

test('a server whose owner and guard were both killed is adopted, not started twice', async () => {
  const dir = await freshPlace()
  const { server } = await orphan(dir)
  const cluster = await open(dir)
  expect({ pid: cluster.pid, adopted: cluster.adopted }).toEqual({ pid: server.pid, adopted: true })
  expect(await query(cluster.superuserUrl, 'select 1 as one')).toEqual([{ one: 1 }])
  await cluster.stop()
  await cluster.exited
  expect(await serverProcessesOf(join(dir, 'data'))).toEqual([])
})

test('an adopted server that is killed is noticed, and the next open starts a new one although nobody reaped it', async () => {
  const dir = await freshPlace()
  await orphan(dir)
  const cluster = await open(dir)
  kill(cluster.pid)
  expect(await cluster.exited).toEqual({ code: null, signal: null })
  await cluster.stop()
  const reopened = await open(dir)
  expect(reopened.adopted).toBe(false)
  expect(await query(reopened.superuserUrl, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('an adopted server has a guard again', async () => {
  const dir = await freshPlace()
  const { server } = await orphan(dir)
  const adopter = await ownerProcess(dir)
  expect(adopter.serverPid).toBe(server.pid)
  await killed(adopter.child)
  expect(await gone(server, 10_000)).toBe(true)
})

test('after an orderly stop the guard is gone', async () => {
  const dir = await freshPlace()
  const cluster = await open(dir)
  const guard = await guardOf(dir)
  await cluster.stop()
  expect(await gone(guard, 2000)).toBe(true)
})
