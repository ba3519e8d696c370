import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { environment, runMuster } from './stack.ts'

const root = join(import.meta.dirname, '../..')
const place = mkdtempSync(join(tmpdir(), 'muster-install-'))
afterAll(() => rmSync(place, { recursive: true }))

/**
 * A machine of its own to install on, as far as files go: what is written to /etc stays in this namespace, systemd seems
 * to run, and systemctl is a program that writes down its words.
 */
const machine = `
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/upper /run/work /run/bin
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
printf '#!/bin/sh\\necho "$@" >> /run/asked\\n' > /run/bin/systemctl
chmod 755 /run/bin/systemctl
PATH=/run/bin:$PATH
`
const onMachine = (script: string) =>
  spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', machine + script], {
    cwd: root,
    env: environment(place),
    encoding: 'utf8',
  })
const canMake = process.getuid?.() === 0 && onMachine('true').status === 0

const token = 'muster_worker_0123456789abcdefghij'
const muster = `${process.execPath} ${join(root, 'bin/muster.mjs')} worker`
const install = `${muster} install --url https://muster.example.org --token-file ${place}/token`

describe.runIf(canMake)('muster worker install', () => {
  it('writes unit, settings and token with their rights, starts the service, and does nothing the second time', () => {
    writeFileSync(join(place, 'token'), `${token}\n`)
    const { stdout, stderr, status } = onMachine(`
      MUSTER_WAKE='wake "a b" \${TASK_ID} 100%' ${install}
      stat -c '%a %U %n' /etc/systemd/system/muster-worker.service /etc/muster/*
      cat /etc/muster/muster-worker.token
      grep -l ${token} -r /etc/systemd /etc/muster
      grep WAKE /etc/muster/muster-worker.env
      echo asked; cat /run/asked; rm /run/asked
      MUSTER_WAKE='wake "a b" \${TASK_ID} 100%' ${install}
      echo again; cat /run/asked`)
    expect(status, stderr).toBe(0)
    expect(stdout.split('\n')).toEqual([
      '644 root /etc/systemd/system/muster-worker.service',
      '600 root /etc/muster/muster-worker.env',
      '600 root /etc/muster/muster-worker.token',
      token,
      '/etc/muster/muster-worker.token',
      String.raw`MUSTER_WAKE="wake \"a b\" \${TASK_ID} 100%"`,
      'asked',
      'daemon-reload',
      'enable muster-worker.service',
      'restart --no-block muster-worker.service',
      'again',
      'enable muster-worker.service',
      'start --no-block muster-worker.service',
      '',
    ])
    expect(stderr).toContain('is installed like this already')
  })

  it('is undone by uninstall, which leaves what others put there', () => {
    const { stdout, stderr, status } = onMachine(`
      ${install} 2>/dev/null
      ${install} --name gpu 2>/dev/null
      rm /run/asked
      ${muster} uninstall
      cat /run/asked
      ls /etc/muster
      ls /etc/systemd/system | grep muster
      ${muster} uninstall`)
    expect(status, stderr).toBe(0)
    expect(stdout.split('\n')).toEqual([
      'disable --now --no-block muster-worker.service',
      'daemon-reload',
      'muster-worker-gpu.env',
      'muster-worker-gpu.token',
      'muster-worker-gpu.service',
      '',
    ])
    expect(stderr).toContain('is not installed here')
  })

  it('leaves a unit of that name alone that it did not write', () => {
    const { stdout, stderr, status } = onMachine(`
      echo mine > /etc/systemd/system/muster-worker.service
      ${install} --json || echo $?
      ${muster} uninstall --json || echo $?
      cat /etc/systemd/system/muster-worker.service; ls /etc/muster 2>/dev/null || true`)
    expect(status).toBe(0)
    expect(stdout.split('\n')).toEqual(['5', '5', 'mine', ''])
    expect(stderr).toContain('unit_not_ours')
  })
})

describe('muster worker install where it cannot', () => {
  it('prints the unit anywhere, without a token', async () => {
    const printed = await runMuster(
      ['worker', 'install', '--url', 'https://muster.example.org', '--print'],
      environment(place),
    )
    expect(printed.code, printed.stderr).toBe(0)
    expect(printed.stdout).toContain('ExecStart=')
    expect(printed.stdout).toContain(join(root, 'apps/worker/src/main.ts'))
  })

  const isBooted = spawnSync('test', ['-d', '/run/systemd/system']).status === 0
  it.runIf(!isBooted)('refuses where systemd does not run, and writes nothing', async () => {
    writeFileSync(join(place, 'token'), `${token}\n`)
    const words = [
      'worker',
      'install',
      '--url',
      'https://muster.example.org',
      '--token-file',
      join(place, 'token'),
      '--json',
    ]
    const refused = await runMuster(words, environment(place))
    expect([refused.code, JSON.parse(refused.stderr)]).toMatchObject([69, { code: 'no_systemd' }])
    expect(() => readFileSync('/etc/muster/muster-worker.token')).toThrow('ENOENT')
  })

  it('refuses an address over which the token would travel in the clear', async () => {
    const refused = await runMuster(
      ['worker', 'install', '--url', 'http://10.0.0.1:4600', '--print'],
      environment(place),
    )
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('not encrypted')])
  })
})
