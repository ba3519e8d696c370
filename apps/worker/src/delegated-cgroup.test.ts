import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDelegatedCgroup } from './delegated-cgroup.ts'

/** Plain files where the kernel's would be; what is written to them is what the kernel would be told. */
async function cgroups(controllers: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'muster-cgroup-'))
  onTestFinished(() => rm(root, { recursive: true }))
  await mkdir(join(root, 'system.slice/muster-worker.service'), { recursive: true })
  await writeFile(join(root, 'system.slice/muster-worker.service/cgroup.controllers'), controllers)
  return root
}
const own = '0::/system.slice/muster-worker.service\n'

test.each([own, `${own.trim()}/worker\n`, `1:name=systemd:/x\n${own}`])(
  'the worker moves into a child of its unit, and the unit hands its limits down: %j',
  async (self) => {
    const root = await cgroups('cpuset cpu io memory pids\n')
    expect(await openDelegatedCgroup(self, root)).toBe('opened')
    const unit = join(root, 'system.slice/muster-worker.service')
    expect(await readFile(join(unit, 'worker/cgroup.procs'), 'utf8')).toBe(String(process.pid))
    expect(await readFile(join(unit, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +pids +cpu')
  },
)

test.each([
  ['a session of a person', '0::/user.slice/user-0.slice/session-1.scope\n', 'memory pids'],
  ['the first version of cgroups', '4:memory:/process\n0::/\n', 'memory pids'],
  ['a unit without limits to hand down', own, 'cpu io'],
])('%s is left as it is', async (_, self, controllers) => {
  const root = await cgroups(controllers)
  expect(await openDelegatedCgroup(self, root)).toBe('none')
  await expect(
    readFile(join(root, 'system.slice/muster-worker.service/cgroup.subtree_control')),
  ).rejects.toThrow()
})
