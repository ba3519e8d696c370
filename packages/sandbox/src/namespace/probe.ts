import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultLimits, SandboxError, type Sandbox, type WallSpec } from '../sandbox.ts'

export type ProbeAnswer = { ok: boolean; detail: string; fix?: string }

const question =
  'id -u; cat /proc/net/route /proc/net/dev; grep -E "^(Seccomp|NoNewPrivs|CapEff):" /proc/self/status; ' +
  'grep "^Max file size" /proc/self/limits'

/** Starts a wall and asks from inside what holds it. */
export async function probeWall(
  create: (spec: WallSpec) => Promise<Sandbox>,
  stateDir: string,
): Promise<ProbeAnswer> {
  const id = `probe-${randomBytes(6).toString('hex')}`
  // Outside the state directory's own folders, which are closed to the wall's user.
  const workspace = join(stateDir, 'probes', id)
  let wall: Sandbox | undefined
  try {
    await mkdir(workspace, { recursive: true })
    wall = await create({ id, workspace, limits: defaultLimits, network: { kind: 'none' }, env: {} })
    const result = await wall.exec(['/bin/sh', '-c', question], { timeoutMs: 10_000, maxOutputBytes: 65_536 })
    if (result.ended !== 'exited' || result.code !== 0) {
      return {
        ok: false,
        detail: `a wall started, but a command in it ended as ${result.ended}: ${result.stderr}`,
      }
    }
    const wrong = wrongAnswer(result.stdout)
    if (wrong !== undefined) return { ok: false, detail: wrong }
    return {
      ok: true,
      detail: `a wall started and answered in ${result.ms} ms: user 1000, no network, filter on`,
    }
  } catch (error) {
    if (!(error instanceof SandboxError))
      return { ok: false, detail: `a wall could not be started: ${String(error)}` }
    return { ok: false, detail: error.message, ...(error.hint === undefined ? {} : { fix: error.hint }) }
  } finally {
    await wall?.destroy()
    await rm(workspace, { recursive: true, force: true })
  }
}

/** What the answer shows that must not be; undefined when the wall holds. */
export function wrongAnswer(answer: string): string | undefined {
  const lines = answer.split('\n')
  const field = (name: string): string | undefined =>
    lines
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim()
  if (lines[0] !== '1000') return `the command ran as user ${lines[0]}, not 1000`
  const devices = lines.flatMap((line) => /^\s*([\w.@-]+):\s+\d+\s+\d+\s+\d+\s/.exec(line)?.[1] ?? [])
  const outside = devices.filter((name) => name !== 'lo')
  if (outside.length > 0) return `the wall has a network: ${outside.join(', ')}`
  if (field('Seccomp') !== '2') return `the system call filter is not on (Seccomp ${field('Seccomp')})`
  if (field('NoNewPrivs') !== '1') return 'a command could gain privileges (NoNewPrivs is not set)'
  if (!/^0+$/.test(field('CapEff') ?? '')) return `the command has capabilities (${field('CapEff')})`
  const fileBytes = /^Max file size\s+(\d+)/m.exec(answer)?.[1]
  if (Number(fileBytes) !== defaultLimits.fileBytes)
    return `a file may have ${fileBytes ?? 'any number of'} bytes, not ${defaultLimits.fileBytes}: /bin/sh counts in other units`
  return undefined
}
