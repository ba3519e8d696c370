import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { chmod, link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeConformance } from '../conformance.ts'
import { defaultLimits, type WallSpec } from '../sandbox.ts'
import { createNamespaceDriver } from './driver.ts'
import { uidsOf } from './records.ts'
import { uidLocksOf } from './state-files.ts'
import { processesNamed } from './processes.ts'

describeConformance('a namespace wall keeps the contract', (stateDir) =>
  createNamespaceDriver({ stateDir, graceMs: 1_000 }),
)
describeConformance('a namespace wall without cgroups keeps the contract', (stateDir) =>
  createNamespaceDriver({ stateDir, graceMs: 1_000, cgroups: 'none' }),
)

const options = { timeoutMs: 20_000, maxOutputBytes: 65_536 }
const isRoot = process.getuid?.() === 0

describe('the namespace driver', () => {
  let root = ''
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'wall-driver-'))
    await chmod(root, 0o755)
  })
  afterAll(() => rm(root, { recursive: true }))

  const spec = async (id: string): Promise<WallSpec> => {
    const workspace = join(root, id)
    await mkdir(workspace, { recursive: true })
    return { id, workspace, limits: defaultLimits, network: { kind: 'none' }, env: {} }
  }

  it('without bubblewrap nothing runs, and the answer says how to install it', async () => {
    const driver = createNamespaceDriver({ stateDir: join(root, 'state'), programDirs: ['/nonexistent'] })
    const probe = await driver.probe()
    expect(probe).toMatchObject({ ok: false, detail: expect.stringContaining('bwrap was not found') })
    expect(probe.fix).toContain('install bubblewrap')
    await expect(driver.create(await spec('none'))).rejects.toMatchObject({ code: 'sandbox_unavailable' })
    expect(readdirSync(join(root, 'state', 'walls'))).toEqual([])
  })

  it('a bubblewrap that cannot start a wall is the failure of the wall, in its own words', async () => {
    const dir = join(root, 'broken')
    await mkdir(dir)
    for (const name of ['setpriv', 'prlimit', 'mkfifo']) execFileSync('ln', ['-s', `/usr/bin/${name}`, dir])
    await writeFile(
      join(dir, 'bwrap'),
      '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2; exit 1\n',
    )
    await chmod(join(dir, 'bwrap'), 0o755)
    const driver = createNamespaceDriver({ stateDir: join(root, 'state'), programDirs: [dir] })
    expect(await driver.probe()).toMatchObject({
      ok: false,
      detail: expect.stringContaining('setting up uid map'),
    })
  })

  it.runIf(isRoot)(
    'a workspace behind a closed directory is refused by the name of that directory',
    async () => {
      const closed = join(root, 'closed')
      await mkdir(join(closed, 'workspace'), { recursive: true })
      await chmod(closed, 0o700)
      const driver = createNamespaceDriver({ stateDir: join(root, 'state') })
      await expect(
        driver.create({ ...(await spec('behind')), workspace: join(closed, 'workspace') }),
      ).rejects.toMatchObject({
        code: 'sandbox_workspace_unreachable',
        hint: expect.stringContaining(closed),
      })
    },
  )

  it('a file hard-linked to one outside is refused before any owner changes', async () => {
    const given = await spec('linked')
    await writeFile(join(root, 'precious'), 'mirror')
    await link(join(root, 'precious'), join(given.workspace, 'object'))
    const { uid } = statSync(join(root, 'precious'))
    const driver = createNamespaceDriver({ stateDir: join(root, 'state') })
    await expect(driver.create(given)).rejects.toMatchObject({ code: 'sandbox_workspace_refused' })
    expect(statSync(join(root, 'precious')).uid).toBe(uid)
  })

  it.runIf(isRoot)(
    'two walls of two drivers on one state directory have two users, and give them back',
    async () => {
      const stateDir = join(root, 'state')
      const [one, two] = await Promise.all(
        ['u1', 'u2'].map(async (id) => createNamespaceDriver({ stateDir }).create(await spec(id))),
      )
      const owners = ['u1', 'u2'].map((id) => statSync(join(root, id)).uid)
      expect(new Set(owners).size).toBe(2)
      for (const uid of owners) expect(uid).toBeGreaterThanOrEqual(20_000)
      await one?.destroy()
      await two?.destroy()
      for (const uid of owners) expect(existsSync(join(uidLocksOf(stateDir), `${uid}.lock`))).toBe(false)
      expect(readdirSync(join(stateDir, 'walls'))).toEqual([])
    },
  )

  it('a tools directory is readable inside and its programs are found', async () => {
    const tools = join(root, 'tools')
    await mkdir(join(tools, 'bin'), { recursive: true })
    await writeFile(join(tools, 'bin', 'hello-tool'), '#!/bin/sh\necho hello from a tool\n')
    await chmod(join(tools, 'bin', 'hello-tool'), 0o755)
    const wall = await createNamespaceDriver({ stateDir: join(root, 'state'), tools: [tools] }).create(
      await spec('t'),
    )
    const result = await wall.exec(['sh', '-c', `hello-tool; echo x > ${tools}/bin/hello-tool`], options)
    await wall.destroy()
    expect(result.stdout).toBe('hello from a tool\n')
    expect(result.stderr).toContain('Read-only file system')
  })

  for (const cgroups of ['found', 'none'] as const) {
    it(`a killed owner takes its wall with it, and the next one clears up (cgroups: ${cgroups})`, async () => {
      const stateDir = join(root, `orphans-${cgroups}`)
      const given = await spec(`orphan-${cgroups}`)
      const owner = fork(join(import.meta.dirname, 'owner-process.fixture.ts'), [
        stateDir,
        cgroups,
        given.workspace,
      ])
      await once(owner, 'message')
      for (let i = 0; i < 100 && !existsSync(join(given.workspace, 'alive')); i += 1) await sleep(50)
      const record = JSON.parse(await readFile(join(stateDir, 'walls', 'orphan.json'), 'utf8'))
      const driver = createNamespaceDriver({ stateDir, cgroups })
      expect(await driver.adopt()).toEqual([])
      expect(processesNamed(record.wallName).length).toBeGreaterThan(0)

      owner.kill('SIGKILL')
      await once(owner, 'exit')
      await expect.poll(() => processesNamed(record.wallName), { timeout: 3_000 }).toEqual([])
      await rm(join(given.workspace, 'alive'))
      expect(await driver.adopt()).toEqual(['orphan'])
      expect(await driver.adopt()).toEqual([])
      for (const dir of record.cgroups) expect(existsSync(dir)).toBe(false)
      expect(readdirSync(join(stateDir, 'walls'))).toEqual([])
      expect(await uidsOf(uidLocksOf(stateDir), record)).toEqual([])
      expect(existsSync(join(given.workspace, 'alive'))).toBe(false)
    })
  }

  it('an owner killed while its wall is being built leaves no command running', async () => {
    const stateDir = join(root, 'early-state')
    const given = await spec('early')
    const alive = join(given.workspace, 'alive')
    const fixture = join(import.meta.dirname, 'owner-process.fixture.ts')
    for (let ms = 0; ms < 30; ms += 3) {
      const owner = fork(fixture, [stateDir, 'none', given.workspace])
      await once(owner, 'message')
      await sleep(ms)
      owner.kill('SIGKILL')
      await once(owner, 'exit')
      expect(await isMadeAgain(alive)).toBe(false)
      expect(await createNamespaceDriver({ stateDir }).adopt()).toEqual(['orphan'])
    }
  })
})

/** A command that lives makes its file every few milliseconds. A dying one may be scheduled late on a busy machine. */
async function isMadeAgain(file: string): Promise<boolean> {
  for (let attempt = 0; attempt < 20; attempt++) {
    await rm(file, { force: true })
    await sleep(250)
    if (!existsSync(file)) return false
  }
  return true
}
