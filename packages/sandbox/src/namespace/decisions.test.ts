import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../sandbox.ts'
import { chooseCgroupHome } from './cgroup-home.ts'
import { packageRemedy, remedy } from './diagnose.ts'
import { endingOf, type Facts } from './ending.ts'
import { collectOutput } from './output.ts'
import { wrongAnswer } from './probe.ts'
import { descendants } from './processes.ts'
import { createLimitJudge } from './watch.ts'

describe('how a command ended', () => {
  const quiet: Facts = {
    stopped: undefined,
    exitCode: 0,
    launcherSignal: undefined,
    oomKills: 0,
    processHits: 0,
    overDisk: false,
  }
  const cases: [string, Partial<Facts>, unknown][] = [
    ['a limit it recovered from is no limit', { oomKills: 1, processHits: 9 }, { code: 0, ended: 'exited' }],
    [
      'a failure after a refused fork is that limit',
      { exitCode: 2, processHits: 1 },
      { code: 2, ended: 'process_limit' },
    ],
    [
      'an OOM kill comes before its signal',
      { exitCode: 137, oomKills: 1 },
      { code: 137, ended: 'memory_limit' },
    ],
    [
      'what we stopped has no code',
      { stopped: 'timed_out', exitCode: 0 },
      { code: null, ended: 'timed_out' },
    ],
    ['too full is too full, even with success', { overDisk: true }, { code: 0, ended: 'disk_limit' }],
    ['a file that grew too big', { exitCode: 153 }, { code: 153, ended: 'disk_limit', signal: 'SIGXFSZ' }],
    ['a signal', { exitCode: 139 }, { code: 139, ended: 'signalled', signal: 'SIGSEGV' }],
    ['255 is no signal', { exitCode: 255 }, { code: 255, ended: 'exited' }],
    ['no command and no reason: the wall failed', { exitCode: undefined }, undefined],
    [
      'a wall killed from outside',
      { exitCode: undefined, launcherSignal: 'SIGKILL' },
      { code: null, ended: 'signalled', signal: 'SIGKILL' },
    ],
  ]
  it.each(cases)('%s', (_title, facts, ending) => {
    expect(endingOf({ ...quiet, ...facts })).toEqual(ending)
  })
})

describe('kept output', () => {
  it('is a prefix of whole characters, and nothing is lost from the count, however it arrives', () => {
    const property = fc.property(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      fc.nat(80),
      (text, sizes, max) => {
        const bytes = Buffer.from(text)
        const seen: string[] = []
        const out = collectOutput(max, (piece) => seen.push(piece))
        for (let i = 0, n = 0; i < bytes.length; n += 1) {
          const size = sizes[n % sizes.length] as number
          out.write(bytes.subarray(i, i + size))
          i += size
        }
        const end = out.end()
        expect(text.startsWith(end.text)).toBe(true)
        expect(seen.join('')).toBe(end.text)
        expect(end.droppedBytes).toBe(Math.max(0, bytes.length - max))
        expect(max - Buffer.byteLength(end.text) < 4 || end.text === text).toBe(true)
      },
    )
    fc.assert(property)
  })
})

describe('the judge of limits', () => {
  const limits = { ...defaultLimits, processes: 100 }
  it('ends what stays at the process limit and keeps hitting it, not what touched it', () => {
    const judge = createLimitJudge(limits, true)
    const full = { processes: 100, newHits: 5, residentBytes: 0 }
    expect([judge(full), judge(full), judge({ ...full, newHits: 0 }), judge(full), judge(full)]).toEqual(
      Array.from({ length: 5 }),
    )
    expect(judge(full)).toBe('process_limit')
  })

  it('looks at memory only where the kernel does not hold it', () => {
    const look = { processes: 1, newHits: 0, residentBytes: limits.memoryBytes + 1 }
    expect(createLimitJudge(limits, true)(look)).toBeUndefined()
    expect(createLimitJudge(limits, false)(look)).toBe('memory_limit')
  })
})

describe('the place for cgroups', () => {
  const v1 = 'cgroup /cg/memory cgroup rw,memory 0 0\ncgroup /cg/pids cgroup rw,pids 0 0\n'
  const v2 = 'cgroup2 /cg cgroup2 rw 0 0\n'
  const none = { usableV1: () => false, usableV2: () => false }

  it('is below our own cgroup, so that a wall never escapes the limit of its worker', () => {
    const found = chooseCgroupHome(v1, '4:memory:/worker\n8:pids:/', { ...none, usableV1: () => true })
    expect(found).toMatchObject({ version: 1, memory: '/cg/memory/worker', pids: '/cg/pids/' })
  })

  it('is the mount where the path of the host is not visible', () => {
    const found = chooseCgroupHome(v1, '4:memory:/docker/abc\n8:pids:/docker/abc', {
      ...none,
      usableV1: (dir) => !dir.includes('docker'),
    })
    expect(found).toMatchObject({ memory: '/cg/memory', pids: '/cg/pids' })
  })

  it('is beside a version 2 cgroup that cannot hand controllers down, and nowhere without delegation', () => {
    const self = '0::/user.slice/muster.service/worker'
    const usableV2 = (dir: string) => dir === '/cg/user.slice/muster.service'
    expect(chooseCgroupHome(v2, self, { ...none, usableV2 })).toEqual({
      version: 2,
      dir: '/cg/user.slice/muster.service',
    })
    expect(chooseCgroupHome(v2, self, none)).toBeUndefined()
    expect(chooseCgroupHome(v1, self, none)).toBeUndefined()
  })
})

describe('remedies', () => {
  const open = { apparmorRestricts: false, unprivilegedClone: true, maxUserNamespaces: 1, inContainer: false }
  const said = 'bwrap: setting up uid map: Permission denied'
  it('name the setting that is closed', () => {
    expect(remedy(said, { ...open, apparmorRestricts: true })).toContain(
      'kernel.apparmor_restrict_unprivileged_userns',
    )
    expect(remedy(said, { ...open, unprivilegedClone: false })).toContain('kernel.unprivileged_userns_clone')
    expect(remedy(said, { ...open, maxUserNamespaces: 0 })).toContain('user.max_user_namespaces')
    expect(remedy(said, { ...open, inContainer: true })).toContain('container')
    expect(remedy('bwrap: Unknown option --disable-userns', { ...open, inContainer: true })).toBeUndefined()
  })

  it('give the command of this distribution, or all of them', () => {
    expect(packageRemedy('bubblewrap', (tool) => tool === 'apk')).toBe('Install it: apk add bubblewrap.')
    expect(packageRemedy('bubblewrap', () => false)).toMatch(/apt-get.*dnf.*apk.*pacman/)
  })
})

describe('the answer of a probe', () => {
  const good =
    '1000\nIface\n    lo:  0 0 0 0\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n' +
    'Max file size             536870912            536870912            bytes\n'
  it.each([
    ['1000', '0', 'user 0'],
    ['    lo:', '  eth0: 1 2 3 4\n    lo:', 'eth0'],
    ['Seccomp:\t2', 'Seccomp:\t0', 'filter'],
    ['NoNewPrivs:\t1', '', 'privileges'],
    ['CapEff:\t0000000000000000', 'CapEff:\t0000000000200000', 'capabilities'],
    ['size             536870912', 'size             1073741824', '1073741824 bytes'],
  ])('is wrong when %j is %j', (from, to, says) => {
    expect(wrongAnswer(good)).toBeUndefined()
    expect(wrongAnswer(good.replace(from, to))).toContain(says)
  })
})

it('descendants are found however deep, and nothing beside them', () => {
  const row = (pid: number, ppid: number) => ({ pid, ppid, threads: 1, residentBytes: 0 })
  const rows = [row(1, 0), row(2, 1), row(3, 2), row(4, 3), row(5, 1)]
  expect(descendants(rows, 2).map(({ pid }) => pid)).toEqual([3, 4])
})
