import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  defaultLimits,
  type ExecOptions,
  type LiveOptions,
  type Sandbox,
  type SandboxDriver,
  type WallSpec,
} from './sandbox.ts'

const MiB = 2 ** 20

const limits = {
  ...defaultLimits,
  memoryBytes: 256 * MiB,
  processes: 64,
  tmpBytes: 16 * MiB,
  fileBytes: 32 * MiB,
}
const options: ExecOptions = { timeoutMs: 30_000, maxOutputBytes: 64 * 1024 }

type Rig = {
  driver: SandboxDriver
  /** A new wall on a new workspace. */
  wall: (spec?: Partial<WallSpec>) => Promise<Sandbox & { workspace: string }>
  sh: (wall: Sandbox, script: string, more?: Partial<ExecOptions>) => ReturnType<Sandbox['exec']>
}

/** What the interface promises, asked of one driver. It runs where the driver's probe succeeds, and fails elsewhere. */
export function describeConformance(name: string, makeDriver: (stateDir: string) => SandboxDriver): void {
  describe(name, () => {
    let root = ''
    let driver: SandboxDriver
    const walls: Sandbox[] = []
    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'wall-'))
      await chmod(root, 0o755)
      driver = makeDriver(join(root, 'state'))
      const probe = await driver.probe()
      if (!probe.ok) throw new Error(`no wall on this machine: ${probe.detail} ${probe.fix ?? ''}`)
    })
    afterAll(async () => {
      for (const wall of walls) await wall.destroy()
      await rm(root, { recursive: true })
    })
    const rig: Rig = {
      get driver() {
        return driver
      },
      async wall(spec) {
        const id = `c-${process.pid}-${walls.length}`
        const workspace = join(root, id)
        await mkdir(workspace, { recursive: true })
        const made = await driver.create({
          id,
          workspace,
          limits,
          network: { kind: 'none' },
          env: {},
          ...spec,
        })
        walls.push(made)
        return { ...made, workspace }
      },
      sh: (wall, script, more) => wall.exec(['sh', '-c', script], { ...options, ...more }),
    }
    commands(rig)
    output(rig)
    endings(rig)
    limitsHold(rig)
    life(rig)
    liveCommands(rig)
    liveEndings(rig)
  })
}

function commands({ wall, sh }: Rig): void {
  it('a command runs in the workspace as user 1000, and what it writes there is on the host', async () => {
    const made = await wall()
    const result = await sh(made, 'id -u && pwd && echo kept > file && whoami')
    expect(result).toMatchObject({ ended: 'exited', code: 0, stdout: '1000\n/workspace\nagent\n' })
    expect(await readFile(join(made.workspace, 'file'), 'utf8')).toBe('kept\n')
  })

  it('the environment is that of the wall and the command, and nothing of this process', async () => {
    process.env.WALL_TEST_SECRET = 'leaked'
    const made = await wall({ env: { FROM_WALL: '1', BOTH: 'wall' } })
    const { stdout } = await sh(made, 'env', { env: { BOTH: 'command' } })
    delete process.env.WALL_TEST_SECRET
    expect(stdout).toContain('FROM_WALL=1\n')
    expect(stdout).toContain('BOTH=command\n')
    expect(stdout).toContain('HOME=/home/agent\n')
    expect(stdout).not.toContain('leaked')
  })

  it('arguments reach the program unchanged, whatever they hold', async () => {
    const words = ['a b', '$HOME', '`id`', "'", '--', '-c', '', 'é\n']
    const made = await wall()
    const { stdout } = await made.exec(['sh', '-c', 'printf "<%s>" "$@"', 'sh', ...words], options)
    expect(stdout).toBe(words.map((word) => `<${word}>`).join(''))
  })

  it('a program that is not there is exit code 127, not a failure of the wall', async () => {
    expect(await (await wall()).exec(['no-such-program'], options)).toMatchObject({
      ended: 'exited',
      code: 127,
    })
  })

  it('cwd is taken from the workspace', async () => {
    expect((await sh(await wall(), 'mkdir sub && cd sub && pwd')).code).toBe(0)
    const made = await wall()
    await sh(made, 'mkdir sub')
    expect((await sh(made, 'pwd', { cwd: 'sub' })).stdout).toBe('/workspace/sub\n')
  })

  it('stdin arrives whole, and a command that does not read it is no error', async () => {
    const made = await wall()
    const stdin = 'x'.repeat(3 * MiB)
    expect((await sh(made, 'wc -c', { stdin })).stdout.trim()).toBe(String(stdin.length))
    expect(await sh(made, 'exit 4', { stdin })).toMatchObject({ ended: 'exited', code: 4 })
  })

  it('git can be used in the workspace', async () => {
    const result = await sh(
      await wall(),
      'git init -q . && git add -A && git status --porcelain && git log 2>&1 | head -1',
    )
    expect(result).toMatchObject({ ended: 'exited', code: 0 })
  })
}

function output({ wall, sh }: Rig): void {
  it('output beyond the limit is counted and dropped, without costing memory or standing still', async () => {
    const before = process.memoryUsage().rss
    const result = await sh(await wall(), 'head -c 1G /dev/zero', { maxOutputBytes: 1000 })
    expect(result).toMatchObject({ ended: 'exited', code: 0, droppedBytes: 2 ** 30 - 1000 })
    expect(result.stdout.length).toBe(1000)
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MiB)
  })

  it('a character that comes in two parts is one character, in the result and in every chunk', async () => {
    const chunks: string[] = []
    const result = await sh(await wall(), "printf '\\303'; sleep 0.2; printf '\\251\\n'; echo err >&2", {
      onOutput: ({ stream, text }) => chunks.push(`${stream}:${text}`),
    })
    expect(result).toMatchObject({ stdout: 'é\n', stderr: 'err\n' })
    expect(chunks.toSorted()).toEqual(['stderr:err\n', 'stdout:é\n'])
  })

  it('a character cut by the limit is dropped, not mangled', async () => {
    expect((await sh(await wall(), "printf 'aé'", { maxOutputBytes: 2 })).stdout).toBe('a')
  })

  it('/dev/stdin, /dev/stdout and /dev/stderr can be opened by name', async () => {
    const result = await sh(
      await wall(),
      'echo out > /dev/stdout; echo err | tee /dev/stderr > /dev/null; cat /dev/stdin',
      {
        stdin: 'in',
      },
    )
    expect(result).toMatchObject({ stdout: 'out\nin', stderr: 'err\n' })
  })
}

function endings({ wall, sh }: Rig): void {
  it('a command that asks for nothing on time-out is killed after the grace', async () => {
    const result = await sh(await wall(), 'trap "" TERM; while :; do sleep 1; done', { timeoutMs: 300 })
    expect(result).toMatchObject({ ended: 'timed_out', code: null })
    expect(result.ms).toBeLessThan(8_000)
  })

  it('a command that listens can tidy up on time-out', async () => {
    const made = await wall()
    await sh(made, 'trap "echo tidy > tidy; exit 0" TERM; while :; do sleep 0.1; done', { timeoutMs: 500 })
    expect(await readFile(join(made.workspace, 'tidy'), 'utf8')).toBe('tidy\n')
  })

  it('an abort ends a running command, and one that had not begun', async () => {
    const made = await wall()
    const signal = AbortSignal.timeout(300)
    expect((await sh(made, 'sleep 60', { signal })).ended).toBe('aborted')
    expect((await sh(made, 'sleep 60', { signal: AbortSignal.abort() })).ended).toBe('aborted')
  })

  it('death by a signal is told apart from an exit', async () => {
    expect(await sh(await wall(), 'kill -SEGV $$')).toMatchObject({ ended: 'signalled', signal: 'SIGSEGV' })
  })

  it('a daemon that detached in every known way does not outlive its command', async () => {
    const made = await wall()
    const result = await sh(
      made,
      '(trap "" HUP TERM; setsid sh -c "while :; do date > alive; sleep 0.1; done") & sleep 0.5',
    )
    expect(result).toMatchObject({ ended: 'exited', code: 0 })
    await rm(join(made.workspace, 'alive'))
    await new Promise((resolve) => setTimeout(resolve, 500))
    await expect(readFile(join(made.workspace, 'alive'))).rejects.toThrow('ENOENT')
  })
}

function limitsHold({ wall, sh }: Rig): void {
  it('too much memory is named', async () => {
    const grow = 'for (1..80) { push @x, "a" x (8 << 20); select undef, undef, undef, 0.02 } sleep 5'
    expect((await (await wall()).exec(['perl', '-e', grow], options)).ended).toBe('memory_limit')
  })

  it('a fork bomb is ended and named, and the wall works on', async () => {
    const made = await wall()
    expect((await sh(made, "perl -e 'fork while 1'")).ended).toBe('process_limit')
    expect((await sh(made, 'echo well')).stdout).toBe('well\n')
  })

  it('a workspace above its limit ends the command, by many files as by one held open without a name', async () => {
    const small = { ...limits, workspaceBytes: 20 * MiB }
    const many = await wall({ limits: small })
    const grow = 'for i in 1 2 3 4 5; do head -c 8M /dev/zero > f$i; done'
    expect((await sh(many, `${grow}; sleep 20`)).ended).toBe('disk_limit')
    const quick = await wall({ limits: small })
    expect((await sh(quick, grow)).ended).toBe('disk_limit')
    const hidden = await wall({ limits: small })
    expect((await sh(hidden, 'exec 9> f; rm f; head -c 30M /dev/zero >&9; sleep 20')).ended).toBe(
      'disk_limit',
    )
  })

  it('one file has a limit, and /tmp another', async () => {
    const made = await wall()
    expect((await sh(made, 'exec head -c 40M /dev/zero > big')).ended).toBe('disk_limit')
    expect((await sh(made, 'head -c 20M /dev/zero > /tmp/x')).stderr).toContain('No space left')
  })
}

function life(rig: Rig): void {
  const { wall, sh } = rig
  it('two walls do not see each other', async () => {
    const [one, two] = [await wall(), await wall()]
    await sh(one, 'echo private > file')
    expect((await sh(two, `cat file; ls -a; cat ${one.workspace}/file`)).stdout).not.toContain('private')
  })

  it('an id is taken as long as its wall lives', async () => {
    const made = await wall()
    await expect(wall({ id: made.id })).rejects.toMatchObject({ code: 'sandbox_id_taken' })
    await made.destroy()
    await expect(wall({ id: made.id })).resolves.toMatchObject({ id: made.id })
  })

  it('destroy ends what runs, may be repeated, leaves the workspace, and then nothing runs any more', async () => {
    const made = await wall()
    await writeFile(join(made.workspace, 'kept'), '')
    const running = sh(made, 'sleep 60')
    await Promise.all([made.destroy(), made.destroy()])
    expect((await running).ended).toBe('aborted')
    await expect(sh(made, 'true')).rejects.toMatchObject({ code: 'sandbox_gone' })
    expect(await readFile(join(made.workspace, 'kept'), 'utf8')).toBe('')
  })

  it('a workspace that is not there, or is a part of the system, is refused', async () => {
    await expect(wall({ workspace: '/no/such/place' })).rejects.toMatchObject({
      code: 'sandbox_workspace_unreachable',
    })
    for (const workspace of ['/', '/usr', '/etc/ssl', tmpdir()]) {
      await expect(wall({ workspace })).rejects.toMatchObject({ code: 'sandbox_workspace_refused' })
    }
  })

  it('a link in the workspace gives no owner and no content away', async () => {
    const made = await wall()
    const outside = `${made.workspace}-outside`
    await writeFile(outside, 'outside', { mode: 0o600 })
    await made.destroy()
    await symlink(outside, join(made.workspace, 'link'))
    const again = await rig.wall({ workspace: made.workspace })
    expect((await sh(again, 'cat link; echo no > link')).stdout).not.toContain('outside')
    expect(await readFile(outside, 'utf8')).toBe('outside')
  })

  it('commands at the same time share a wall without mixing', async () => {
    const made = await wall()
    const results = await Promise.all([1, 2, 3, 4].map((n) => sh(made, `sleep 0.2; echo ${n}; exit ${n}`)))
    expect(results.map(({ code, stdout }) => `${code} ${stdout}`)).toEqual([
      '1 1\n',
      '2 2\n',
      '3 3\n',
      '4 4\n',
    ])
  })

  it('stats say what was used', async () => {
    const made = await wall()
    await sh(made, 'sleep 0.4 & sleep 0.4 & wait')
    expect((await made.stats()).processesPeak).toBeGreaterThan(1)
  })
}

/** A live shell, and what it said so far. */
async function live(made: Sandbox, script: string, more: Partial<LiveOptions> = {}) {
  const said = { text: '', bytes: 0 }
  const command = await made.start(['sh', '-c', script], {
    timeoutMs: 30_000,
    maxErrorBytes: 1_000,
    onOutput: (bytes) => {
      said.bytes += bytes.length
      if (said.text.length < 1_000) said.text += Buffer.from(bytes).toString()
    },
    ...more,
  })
  return { ...command, said }
}

function liveCommands({ wall, sh }: Rig): void {
  it('a live command answers what it is told while it runs, in the workspace, and ends with its input', async () => {
    const made = await wall({ env: { WHO: 'wall' } })
    const echo = await live(made, 'pwd; while read -r line; do echo "$WHO $line"; done; echo end >&2; exit 3')
    expect(await echo.write('one\n')).toBe(true)
    await expect.poll(() => echo.said.text).toBe('/workspace\nwall one\n')
    await echo.write('two\n')
    await expect.poll(() => echo.said.text).toContain('wall two\n')
    echo.closeInput()
    expect(await echo.ended).toMatchObject({ ended: 'exited', code: 3, stdout: '', stderr: 'end\n' })
    expect(await echo.write('three\n')).toBe(false)
  })

  it('what is written to a live command arrives whole, however much and whatever bytes', async () => {
    const count = await live(await wall(), 'sha256sum')
    const bytes = new Uint8Array(5 * MiB).map((_, at) => at % 251)
    await count.write(bytes)
    count.closeInput()
    await count.ended
    const hash = createHash('sha256').update(bytes).digest('hex')
    expect(count.said.text).toBe(`${hash}  -\n`)
  })

  it('other commands run beside a live one, and a program that is not there is exit code 127', async () => {
    const made = await wall()
    const command = await live(made, 'read -r word; cat file')
    expect(
      (await sh(made, 'echo made > file; ps ax 2>/dev/null | grep -c "read -r wor[d]"')).stdout.trim(),
    ).toBe('0')
    await command.write('go\n')
    expect((await command.ended).code).toBe(0)
    expect(command.said.text).toBe('made\n')
    const none = await made.start(['no-such-program'], {
      timeoutMs: 5_000,
      maxErrorBytes: 1_000,
      onOutput: () => {},
    })
    expect(await none.ended).toMatchObject({ ended: 'exited', code: 127 })
  })
}

function liveEndings({ wall }: Rig): void {
  it('nothing that a live command started outlives it, whether it exits or is stopped', async () => {
    const made = await wall()
    const stubborn = '(trap "" HUP TERM; setsid sh -c "while :; do date > alive; sleep 0.1; done") & '
    const alive = join(made.workspace, 'alive')
    for (const end of ['exit', 'stop']) {
      const command = await live(made, `${stubborn} read -r word; exit 0`)
      await expect.poll(() => readFile(alive, 'utf8').catch(() => '')).not.toBe('')
      if (end === 'exit') await command.write('go\n')
      const result = end === 'exit' ? await command.ended : await command.stop()
      expect(result.ended).toBe(end === 'exit' ? 'exited' : 'aborted')
      await rm(alive)
      await new Promise((resolve) => setTimeout(resolve, 400))
      await expect(readFile(alive)).rejects.toThrow('ENOENT')
    }
  })

  it('a live command that ignores being asked is killed after the grace, and one that floods is still heard to its end', async () => {
    const made = await wall()
    const deaf = await live(made, 'trap "" TERM; echo up; while :; do sleep 1; done')
    await expect.poll(() => deaf.said.text).toBe('up\n')
    expect((await deaf.stop()).ended).toBe('aborted')
    const before = process.memoryUsage().rss
    const flood = await live(made, 'head -c 1G /dev/zero; head -c 5000 /dev/zero >&2')
    expect(await flood.ended).toMatchObject({ ended: 'exited', code: 0, droppedBytes: 4_000 })
    expect(flood.said.bytes).toBe(2 ** 30)
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MiB)
  })

  it('a live command is ended by its time, by its caller and with its wall, and a limit is named', async () => {
    const made = await wall()
    expect((await (await live(made, 'sleep 60', { timeoutMs: 300 })).ended).ended).toBe('timed_out')
    const caller = new AbortController()
    const aborted = await live(made, 'sleep 60', { signal: caller.signal })
    caller.abort()
    expect((await aborted.ended).ended).toBe('aborted')
    expect((await (await live(made, "perl -e 'fork while 1'")).ended).ended).toBe('process_limit')
    const grow = 'for (1..80) { push @x, "a" x (8 << 20); select undef, undef, undef, 0.02 } sleep 5'
    expect((await (await live(made, `exec perl -e '${grow}'`)).ended).ended).toBe('memory_limit')
    const small = await wall({ limits: { ...limits, workspaceBytes: 20 * MiB } })
    const full = 'for i in 1 2 3 4 5; do head -c 8M /dev/zero > f$i; done; sleep 25'
    expect((await (await live(small, full)).ended).ended).toBe('disk_limit')
    const last = await live(made, 'sleep 60')
    await made.destroy()
    expect((await last.ended).ended).toBe('aborted')
    await expect(live(made, 'true')).rejects.toMatchObject({ code: 'sandbox_gone' })
  })
}
