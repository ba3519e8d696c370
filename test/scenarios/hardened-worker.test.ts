import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { gitRepo } from '@muster/testkit/git-repos'
import { startProcess } from '@muster/testkit/processes'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startStack } from './stack.ts'
import { add, addRepo, logOf, untilEnded } from './tasks-of.ts'

/**
 * What ProtectSystem=strict, ProtectHome=tmpfs, PrivateTmp, ReadWritePaths, RuntimeDirectory, BindReadOnlyPaths and NoNewPrivileges of the
 * installed unit do to the worker's view of its machine, made by hand: no test may start services on the machine it runs
 * on. Arguments: paths to keep, read-only ones with "ro:" before them, then "--" and the command.
 */
const hardened = `
# A place that is there already, hidden in this namespace only.
stash=/mnt
mount -t tmpfs tmpfs "$stash"
kept="" n=0
while [ "$1" != -- ]; do
  n=$((n + 1)); mkdir "$stash/$n"; mount --rbind "\${1#ro:}" "$stash/$n"; kept="$kept $n=$1"; shift
done
shift
for hidden in /tmp /var/tmp /home /root; do mount -t tmpfs -o mode=1777 tmpfs "$hidden"; done
for each in $kept; do
  at=\${each#*=}; to=\${at#ro:}; mkdir -p "$to"; mount --rbind "$stash/\${each%%=*}" "$to"
  [ "$at" = "$to" ] || mount -o remount,bind,ro "$to"
done
mount -o remount,bind,ro /
exec setpriv --no-new-privs "$@"`

const root = join(import.meta.dirname, '../..')
const isRoot = process.getuid?.() === 0

describe.runIf(isRoot)('a worker in the view of its machine that its unit gives it', () => {
  it('makes walls and proves work, and can write nowhere else', async () => {
    const stack = await startStack({ env: { MUSTER_SLOTS: '1' } })
    onTestFinished(() => stack.stop())
    const repo = await gitRepo({ 'a.txt': 'A\n' })
    onTestFinished(() => repo.remove())
    await addRepo(stack, 'demo', repo.path)
    const made = await stack.muster('token', 'create', 'hardened', '--worker', '--json')
    const data = `/var/lib/muster-test-${process.pid}`
    await mkdir(data, { mode: 0o711 })
    onTestFinished(() => rm(data, { recursive: true }))
    const env = {
      PATH: process.env['PATH'] ?? '',
      MUSTER_HUB: stack.url,
      MUSTER_TOKEN: (made.json() as { secret: string }).secret,
      MUSTER_WORKER_DATA: data,
      MUSTER_SLOTS: '8',
      MUSTER_WAKE: `sh -c 'touch /usr/hacked /etc/hacked ${data}/woken; touch ${root}/hacked; exit 0'`,
    }
    const program = [process.execPath, join(root, 'apps/worker/src/main.ts')]
    const kept = [
      data,
      '/run/muster',
      repo.path,
      `ro:${root}`,
      `ro:${process.execPath.replace(/\/bin\/node$/, '')}`,
    ]
    const unshared = [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-ec',
      hardened,
      'sh',
      ...kept,
      '--',
      ...program,
    ]
    const worker = startProcess('unshare', unshared, { env })
    onTestFinished(() => worker.kill('SIGTERM'))
    await worker.line(/connected to the hub/)
    const shown = (await stack.muster('worker', 'show', 'hardened', '--json')).json()
    expect(shown, JSON.stringify(shown)).toMatchObject({ walls: [{ kind: 'namespace', ok: true }] })
    const command = 'echo proven > mark; id -u; cat /proc/self/status | grep -c CapEff'
    const task = await add(stack, 'demo', 'Behind a wall', '--run', command, '--check', 'file_exists:mark')
    const ended = await untilEnded(stack, task.id)
    expect(ended, `${ended.reason}\n${worker.output()}`).toMatchObject({ state: 'done', worker: 'hardened' })
    expect(await logOf(stack, task.id)).toContain('The wake command exited with 0')
    const told = await stack.sql<{ data: { output: string } }>(
      `select data from muster.events where kind = 'task.woken'`,
    )
    for (const place of ['/usr/hacked', '/etc/hacked', `${root}/hacked`])
      expect(told[0]?.data.output).toContain(`'${place}': Read-only file system`)
    expect(told[0]?.data.output).not.toContain('woken')
  })
})
