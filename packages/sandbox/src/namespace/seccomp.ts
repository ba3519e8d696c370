import { auditArch, denied, inspected, missing, type Arch } from './syscalls.ts'

/** One classic BPF instruction: code, jump if true, jump if false, operand. */
export type Instruction = [code: number, jt: number, jf: number, k: number]

const LOAD = 0x20
const JEQ = 0x15
const JGE = 0x35
const JSET = 0x45
const RETURN = 0x06

const ALLOW = 0x7fff0000
const KILL_PROCESS = 0x80000000
const errno = (n: number): number => 0x00050000 | n
const EPERM = 1
const ENOSYS = 38
const EAFNOSUPPORT = 97

// struct seccomp_data: nr at 0, arch at 4, six 64-bit arguments from 16. Both architectures are little-endian, and for
// every argument read here the kernel itself looks only at the low word (int, unsigned int, or flags below bit 32).
const NR = 0
const ARCH = 4
const arg = (n: number): number => 16 + 8 * n

// CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET
const NEW_NAMESPACES = 0x7e020000
// Only unshare knows it as a flag; for clone this bit is part of the exit signal.
const NEWTIME = 0x80

const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c

// AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Not AF_VSOCK: no network namespace stops it, and hypervisors listen there.
const FAMILIES = [1, 2, 10, 16]

/** x32 calls carry this bit; they would reach the same kernel functions under other numbers. */
const X32_BIT = 0x40000000

/**
 * The filter of a wall: everything is allowed but what opens the kernel further than a build or a test needs. The user
 * namespace already refuses most of it; the filter is there for the day the kernel has a bug behind one of these doors.
 */
export function wallFilter(arch: Arch): Instruction[] {
  const refuse = (nr: number, answer: number): Instruction[] => [
    [JEQ, 0, 1, nr],
    [RETURN, 0, 0, answer],
  ]
  return [
    [LOAD, 0, 0, ARCH],
    [JEQ, 1, 0, auditArch[arch]],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, NR],
    ...(arch === 'x64'
      ? ([
          [JGE, 0, 1, X32_BIT],
          [RETURN, 0, 0, errno(ENOSYS)],
        ] as Instruction[])
      : []),
    ...missing.flatMap(([, x64, arm64]) => refuse(arch === 'x64' ? x64 : arm64, errno(ENOSYS))),
    ...denied.flatMap(([, x64, arm64]) => {
      const nr = arch === 'x64' ? x64 : arm64
      return nr === null ? [] : refuse(nr, errno(EPERM))
    }),
    ...whenArgument(inspected.clone[arch], 0, [[JSET, 0, 1, NEW_NAMESPACES]], EPERM),
    ...whenArgument(inspected.unshare[arch], 0, [[JSET, 0, 1, NEW_NAMESPACES | NEWTIME]], EPERM),
    ...whenArgument(
      inspected.ioctl[arch],
      1,
      [
        [JEQ, 1, 0, TIOCSTI],
        [JEQ, 0, 1, TIOCLINUX],
      ],
      EPERM,
    ),
    ...unlessFamily(inspected.socket[arch]),
    ...unlessFamily(inspected.socketpair[arch]),
    [RETURN, 0, 0, ALLOW],
  ]
}

/** The tests fall through (or jump) to the refusal, and past it to the permission, when they do not match. */
function whenArgument(nr: number, index: number, tests: Instruction[], answer: number): Instruction[] {
  return [
    [JEQ, 0, tests.length + 3, nr],
    [LOAD, 0, 0, arg(index)],
    ...tests,
    [RETURN, 0, 0, errno(answer)],
    [RETURN, 0, 0, ALLOW],
  ]
}

function unlessFamily(nr: number): Instruction[] {
  const tests = FAMILIES.map((family, i): Instruction => [JEQ, FAMILIES.length - i, 0, family])
  return whenArgument(nr, 0, tests, EAFNOSUPPORT)
}

/** struct sock_filter[], as bubblewrap reads it. */
export function encodeFilter(program: Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  program.forEach(([code, jt, jf, k], i) => {
    view.setUint16(i * 8, code, true)
    view.setUint8(i * 8 + 2, jt)
    view.setUint8(i * 8 + 3, jf)
    view.setUint32(i * 8 + 4, k, true)
  })
  return bytes
}
