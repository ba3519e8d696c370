import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../sandbox.ts'
import { bwrapOptions, launchArgv, type Launch } from './argv.ts'

const launch: Launch = {
  layout: {
    programs: {
      bwrap: '/bin/bwrap',
      setpriv: '/bin/setpriv',
      prlimit: '/bin/prlimit',
      mkfifo: '/bin/mkfifo',
    },
    roots: [
      { path: '/bin', link: 'usr/bin' },
      { path: '/lib', link: undefined },
    ],
    etc: '/state/etc',
    tools: [{ dir: '/opt/node', path: '/opt/node/bin' }],
    hardOpenFiles: 1000,
    hostMemoryBytes: 2 ** 30,
  },
  execName: 'muster-a-1.x1',
  uid: 20_001,
  limits: defaultLimits,
  join: ['/cg/cgroup.procs'],
  cgroups: true,
  workspace: '/runs/a',
  readOnly: [],
  cwd: '/workspace',
  env: { TOKEN: 'secret' },
  command: ['echo', 'hi'],
}

/** Where a run of words begins, or -1. */
const at = (words: string[], ...part: string[]): number =>
  words.findIndex((_, i) => part.every((word, n) => words[i + n] === word))

describe('the command line on the host', () => {
  it('gives up root before bubblewrap starts, and joins the cgroups before that', () => {
    const argv = launchArgv(launch)
    const order = [
      '/bin/sh',
      '/cg/cgroup.procs',
      '/bin/setpriv',
      '--reuid=20001',
      '--clear-groups',
      '/bin/bwrap',
    ]
    const places = order.map((word) => argv.indexOf(word))
    expect(places).not.toContain(-1)
    expect(places.toSorted((a, b) => a - b)).toEqual(places)
    expect(argv.slice(-2)).toEqual(['echo', 'hi'])
  })

  it('names no variable and no path of the host', () => {
    expect(launchArgv(launch).join(' ')).not.toMatch(/secret|\/runs\/a|\/state/)
  })

  it('never asks for more open files than this process may have', () => {
    expect(launchArgv(launch)[2]).toContain('; ulimit -n 1000; ')
  })

  it('holds memory and processes by rlimits only where no cgroup does', () => {
    expect(launchArgv(launch).join(' ')).not.toMatch(/ulimit -d|--nproc/)
    const bare = launchArgv({ ...launch, cgroups: false, join: [], uid: undefined })
    expect(bare[2]).toContain(`; ulimit -d ${(2 * defaultLimits.memoryBytes) / 1024}; `)
    const large = { ...launch, cgroups: false, layout: { ...launch.layout, hostMemoryBytes: 64 * 2 ** 30 } }
    expect(launchArgv(large).join(' ')).toContain(`; ulimit -d ${48 * 2 ** 20}; `)
    expect(bare.indexOf('--nproc=512:512')).toBeGreaterThan(bare.indexOf('/bin/bwrap'))
    expect(bare.join(' ')).not.toContain('--reuid')
  })
})

describe('the options of bubblewrap', () => {
  const options = bwrapOptions(launch)

  it('unshare every namespace by name, and close the door for more', () => {
    for (const kind of ['user', 'ipc', 'pid', 'net', 'uts', 'cgroup'])
      expect(options).toContain(`--unshare-${kind}`)
    expect(options).toEqual(
      expect.arrayContaining(['--disable-userns', '--die-with-parent', '--new-session']),
    )
    expect(at(options, '--cap-drop', 'ALL')).toBeGreaterThan(-1)
    expect(options).not.toContain('--share-net')
  })

  it('make the root read-only after the last mount', () => {
    const last = at(options, '--remount-ro', '/')
    expect(last).toBeGreaterThan(at(options, '--bind', '/runs/a', '/workspace'))
    expect(options.slice(last + 2)).not.toContain('--bind')
  })

  it('give every writable tmpfs a size', () => {
    const sizes = options.flatMap((word, i) =>
      word === '--tmpfs' ? [options.slice(i - 4, i).includes('--size')] : [],
    )
    expect(sizes).toEqual([true, true, true])
  })

  it('mount one directory of the host for writing: the workspace', () => {
    expect(options.filter((word) => word === '--bind' || word === '--dev-bind')).toEqual(['--bind'])
  })

  it('follow the layout of the host and put tools first on PATH', () => {
    expect(at(options, '--symlink', 'usr/bin', '/bin')).toBeGreaterThan(-1)
    expect(at(options, '--ro-bind', '/lib', '/lib')).toBeGreaterThan(-1)
    expect(at(options, '--setenv', 'PATH', '/opt/node/bin:/usr/local/bin:/usr/bin:/bin')).toBeGreaterThan(-1)
    expect(at(options, '--setenv', 'TOKEN', 'secret')).toBeGreaterThan(-1)
  })
})
