import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { defaultLimits } from '../sandbox.ts'
import { cgroupDirs, createCgroup, procs } from './cgroup.ts'

// Plain files stand in for version 2, which has no memory controller where the version 1 hierarchies hold it.
it('a version 2 wall hands controllers down, sets its limits and counts what hit them', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cgroup-'))
  const home = { version: 2 as const, dir }
  const cgroup = await createCgroup(home, 'muster-a-1', defaultLimits)
  const read = (name: string) => readFile(join(dir, 'muster-a-1', name), 'utf8')
  expect(await read('cgroup.subtree_control')).toBe('+memory +pids')
  expect(await read('memory.max')).toBe(String(defaultLimits.memoryBytes))
  expect(await read('pids.max')).toBe(String(defaultLimits.processes))

  const exec = await cgroup.enter('x1')
  expect(exec.procsFiles).toEqual([join(dir, 'muster-a-1', 'x1', 'cgroup.procs')])
  await writeFile(exec.procsFiles[0] as string, '12\n34\n')
  expect(exec.pids()).toEqual([12, 34])
  await writeFile(join(dir, 'muster-a-1', 'x1', 'memory.events'), 'oom 3\noom_kill 2\noom_group_kill 0\n')
  await writeFile(join(dir, 'muster-a-1', 'pids.events'), 'max 7\n')
  expect(exec.hits()).toEqual({ oomKills: 2, processHits: 7 })
  await rm(dir, { recursive: true })
})

it('version 1 directories are one for each mount', () => {
  const home = { version: 1 as const, memory: '/cg/both', pids: '/cg/both', cpu: '/cg/cpu' }
  expect(cgroupDirs(home, 'w')).toEqual(['/cg/both/w', '/cg/cpu/w'])
})

it('a cgroup that is gone has no processes', () => {
  expect(procs('/no/such/cgroup')).toEqual([])
})
