import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { environmentText, unitText, type UnitSpec } from './unit.ts'

const spec: UnitSpec = {
  name: 'muster-worker',
  hub: 'https://muster.example.org',
  node: '/bin/sh',
  checkout: '/opt/muster',
  user: null,
  home: '/root',
  userUnit: false,
  dataDir: '/var/lib/muster-worker',
  environmentFile: '/etc/muster/muster-worker.env',
  tokenFile: '/etc/muster/muster-worker.token',
  writable: [],
}
const unit = (more: Partial<UnitSpec> = {}) => unitText({ ...spec, ...more })
const settings = (text: string) => text.split('\n').filter((line) => /^\w+=/.test(line))
const value = (text: string, name: string) =>
  settings(text)
    .find((line) => line.startsWith(`${name}=`))
    ?.slice(name.length + 1)

test.each([
  ['Restart', 'always'],
  ['RestartSec', '2'],
  ['StartLimitBurst', '50'],
  // 50 lives of less than 5 s with 2 s between them fit in, one that was longer does not count with them.
  ['StartLimitIntervalSec', '350'],
  ['RestartPreventExitStatus', '4'],
  ['NoNewPrivileges', 'yes'],
  ['ProtectSystem', 'strict'],
  ['ProtectHome', 'tmpfs'],
  ['PrivateTmp', 'yes'],
  ['ReadWritePaths', '/var/lib/muster-worker'],
  ['RuntimeDirectory', 'muster'],
  ['RuntimeDirectoryPreserve', 'yes'],
  ['RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'],
  ['MemoryMax', '80%'],
  ['TasksMax', '8192'],
])('the unit says %s=%s', (name, wanted) => expect(value(unit(), name)).toBe(wanted))

test.each([
  'RestrictNamespaces',
  'PrivateUsers',
  'SystemCallFilter',
  'ProtectKernelTunables',
  'ProtectKernelLogs',
  'ProcSubset',
  'ProtectProc',
  'ProtectControlGroups',
  'ProtectHostname',
  'MemoryDenyWriteExecute',
])('%s would break walls: it is left out, and the unit says why', (name) => {
  expect(value(unit(), name)).toBeUndefined()
  expect(
    unit()
      .split('\n')
      .filter((line) => line.startsWith('#'))
      .join('\n'),
  ).toContain(name)
})

test('the token is a credential and in no line of the unit, and the settings are in a file', () => {
  expect(value(unit(), 'LoadCredential')).toBe('token:/etc/muster/muster-worker.token')
  expect(settings(unit())).toContain('Environment=MUSTER_TOKEN_FILE=%d/token')
  expect(value(unit(), 'EnvironmentFile')).toBe('/etc/muster/muster-worker.env')
})

test('a worker that is not root has no capabilities, and only homes of its own user are looked at for keys', () => {
  const text = unit({ user: 'muster', home: '/srv/muster' })
  expect([value(text, 'User'), value(text, 'CapabilityBoundingSet')]).toEqual(['muster', ''])
  expect(value(text, 'BindReadOnlyPaths')).toBe('-/srv/muster/.ssh')
  expect(value(unit(), 'User')).toBeUndefined()
})

test('a checkout in a home or below /tmp is shown to the worker read-only, elsewhere it needs nothing', () => {
  expect(value(unit({ checkout: '/home/ann/muster' }), 'BindReadOnlyPaths')).toContain(' /home/ann/muster')
  expect(value(unit({ checkout: '/tmp/muster' }), 'BindReadOnlyPaths')).toContain(' /tmp/muster')
  expect(value(unit({ node: '/usr/bin/node' }), 'BindReadOnlyPaths')).toBe('-/root/.ssh')
})

test('a unit of a user has nothing that only the machine’s systemd can do', () => {
  const text = unit({ userUnit: true, tokenFile: '/home/ann/.config/muster/t' })
  for (const name of [
    'User',
    'ProtectSystem',
    'ProtectHome',
    'PrivateTmp',
    'StateDirectory',
    'LoadCredential',
  ])
    expect(value(text, name), name).toBeUndefined()
  expect(settings(text)).toContain('Environment=MUSTER_TOKEN_FILE=/home/ann/.config/muster/t')
  expect(value(text, 'WantedBy')).toBe('default.target')
})

test('paths with spaces, quotes, percents and dollars stay what they are', () => {
  const text = unit({ checkout: '/opt/my "muster" 100% $HOME', writable: ['/srv/re po', '/srv/50%'] })
  expect(value(text, 'ExecStart')).toContain(
    String.raw`"/opt/my \"muster\" 100%% $$HOME/apps/worker/src/main.ts"`,
  )
  expect(value(text, 'ReadWritePaths')).toBe('/var/lib/muster-worker "/srv/re po" /srv/50%%')
})

test('settings keep quotes, dollars, percents and placeholders as systemd reads them', () => {
  const wake = String.raw`wake "a b" \${TASK_ID} 100% $X`
  expect(environmentText({ MUSTER_WAKE: wake })).toContain(
    String.raw`MUSTER_WAKE="wake \"a b\" \\\${TASK_ID} 100% \$X"`,
  )
})

const canVerify = spawnSync('systemd-analyze', ['--version']).status === 0
test.runIf(canVerify).each([
  ['of the machine', {}],
  ['of a user of the machine', { user: 'daemon', home: '/usr/sbin' }],
  [
    'with every option and odd paths',
    { writable: ['/srv/re po', '/srv/50%'], checkout: '/home/ann/my muster' },
  ],
])('systemd finds nothing wrong with the unit %s', (_, more) => {
  const dir = mkdtempSync(join(tmpdir(), 'muster-unit-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'muster-worker.service')
  const verify = (text: string) => {
    writeFileSync(file, text)
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
      encoding: 'utf8',
    })
    return `${stdout}${stderr}`.split('\n').filter((line) => line.includes('muster-worker.service'))
  }
  expect(verify(unit(more))).toEqual([])
  // The control: the same program does find what is wrong.
  expect(verify(unit(more).replace('NoNewPrivileges=yes', 'NoNewPrivilege=yes')).join()).toContain(
    'NoNewPrivilege',
  )
})

test.runIf(canVerify)('systemd calls the hardening better than that of a unit without any', () => {
  const dir = mkdtempSync(join(tmpdir(), 'muster-unit-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const exposure = (text: string) => {
    const file = join(dir, 'muster-worker.service')
    writeFileSync(file, text)
    const said = execFileSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', file], {
      encoding: 'utf8',
    })
    return Number(/Overall exposure level[^:]*: ([\d.]+)/.exec(said)?.[1])
  }
  const bare = '[Service]\nExecStart=/bin/true\n'
  expect(exposure(unit({ user: 'daemon', home: '/usr/sbin' }))).toBeLessThan(exposure(bare) - 3)
})
