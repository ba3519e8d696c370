import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFilter, wallFilter, type Instruction } from './seccomp.ts'
import { auditArch, denied, inspected, missing, type Arch } from './syscalls.ts'

const ALLOW = 0x7fff0000
const errno = (n: number) => 0x50000 | n

/** The few instructions of the kernel's interpreter that the filter uses. */
function run(program: Instruction[], call: { nr: number; arch: number; args?: number[] }): number {
  const word = (offset: number): number => {
    if (offset === 0) return call.nr
    if (offset === 4) return call.arch
    return (call.args?.[(offset - 16) / 8] ?? 0) >>> 0
  }
  let a = 0
  for (let pc = 0; pc < program.length; pc += 1) {
    const [code, jt, jf, k] = program[pc] as Instruction
    if (code === 0x06) return k
    if (code === 0x20) a = word(k)
    else if (code === 0x15) pc += a === k ? jt : jf
    else if (code === 0x35) pc += a >= k ? jt : jf
    else if (code === 0x45) pc += (a & k) !== 0 ? jt : jf
    else throw new Error(`no instruction ${code}`)
  }
  throw new Error('ran past the end')
}

describe.each(['x64', 'arm64'] as Arch[])('the filter for %s', (arch) => {
  const program = wallFilter(arch)
  const ask = (nr: number, ...args: number[]) => run(program, { nr, arch: auditArch[arch], args })
  const known = new Set<number>([
    ...denied.flatMap(([, x64, arm64]) => (arch === 'x64' ? x64 : (arm64 ?? []))),
    ...missing.map(([, x64, arm64]) => (arch === 'x64' ? x64 : arm64)),
    ...Object.values(inspected).map((numbers) => numbers[arch]),
  ])

  it('refuses every call of the table, whatever its arguments', () => {
    for (const [, x64, arm64] of denied) {
      const nr = arch === 'x64' ? x64 : arm64
      if (nr !== null) expect(ask(nr, 1, 2, 3)).toBe(errno(1))
    }
    for (const [, x64, arm64] of missing) expect(ask(arch === 'x64' ? x64 : arm64)).toBe(errno(38))
  })

  it('allows every other call', () => {
    fc.assert(
      fc.property(fc.nat(600), fc.array(fc.nat(), { maxLength: 6 }), (nr, args) => {
        fc.pre(!known.has(nr))
        return ask(nr, ...args) === ALLOW
      }),
    )
  })

  it('kills a process that calls by the numbers of another architecture', () => {
    const other = auditArch[arch === 'x64' ? 'arm64' : 'x64']
    expect(run(program, { nr: 0, arch: other })).toBe(0x80000000)
    expect(run(program, { nr: 0, arch: 0x40000003 })).toBe(0x80000000)
  })

  it('lets threads and processes be made, but no namespaces', () => {
    const pthread = 0x3d0f00
    expect(ask(inspected.clone[arch], pthread)).toBe(ALLOW)
    expect(ask(inspected.clone[arch], 17)).toBe(ALLOW)
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(ask(inspected.clone[arch], flag | 17)).toBe(errno(1))
      expect(ask(inspected.unshare[arch], flag)).toBe(errno(1))
    }
    expect(ask(inspected.unshare[arch], 0x80)).toBe(errno(1))
    expect(ask(inspected.unshare[arch], 0x400)).toBe(ALLOW)
  })

  it('knows four families of sockets', () => {
    for (let family = 0; family < 64; family += 1) {
      const answer = [1, 2, 10, 16].includes(family) ? ALLOW : errno(97)
      expect(ask(inspected.socket[arch], family, 1, 0)).toBe(answer)
      expect(ask(inspected.socketpair[arch], family, 1, 0)).toBe(answer)
    }
  })

  it('refuses two requests of ioctl', () => {
    expect([0x5412, 0x541c, 0x5413].map((request) => ask(inspected.ioctl[arch], 0, request))).toEqual([
      errno(1),
      errno(1),
      ALLOW,
    ])
  })

  it('is encoded as eight bytes an instruction, within what the kernel takes', () => {
    expect(encodeFilter(program).length).toBe(program.length * 8)
    expect(program.length).toBeLessThan(4096)
    expect([...encodeFilter([[0x15, 1, 2, 0xc000003e]])]).toEqual([0x15, 0, 1, 2, 0x3e, 0, 0, 0xc0])
  })
})

it('the x32 numbers answer "no such call" on x64', () => {
  expect(run(wallFilter('x64'), { nr: 0x40000000 + 101, arch: auditArch.x64 })).toBe(errno(38))
})
