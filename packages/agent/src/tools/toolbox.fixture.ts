import { createNamespaceDriver } from '@muster/sandbox/namespace/driver'
import { defaultLimits, type WallLimits } from '@muster/sandbox/sandbox'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createToolbox, type ToolboxOptions } from './toolbox.ts'

export type Rig = {
  files?: Record<string, string | Uint8Array>
  limits?: Partial<WallLimits>
  options?: Partial<ToolboxOptions>
  /** What is done to the workspace before the wall takes it. */
  prepare?: (workspace: string) => void
}

/** For tests: a real wall on a new repository, with the Node that runs the tests in it. */
export async function newToolbox({ files = {}, limits = {}, options = {}, prepare }: Rig = {}) {
  const root = mkdtempSync(join(tmpdir(), 'muster-tools-'))
  const cleanUp: (() => Promise<void>)[] = []
  onTestFinished(async () => {
    for (const each of cleanUp.toReversed()) await each()
    execFileSync('chmod', ['-R', 'u+rwX', root])
    rmSync(root, { recursive: true, force: true })
  })
  chmodSync(root, 0o755)
  const workspace = join(root, 'workspace')
  mkdirSync(workspace)
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'safe.directory=*']
    return execFileSync('git', [...identity, ...args], { cwd: workspace, encoding: 'utf8' }).trim()
  }
  git('init', '--quiet')
  for (const [path, content] of Object.entries({ 'README.md': 'A project\n', ...files })) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true })
    writeFileSync(join(workspace, path), content)
  }
  git('add', '--all')
  git('commit', '--quiet', '--message', 'Base')
  const base = git('rev-parse', 'HEAD')
  prepare?.(workspace)
  const driver = createNamespaceDriver({
    stateDir: join(root, 'state'),
    graceMs: 500,
    tools: [dirname(dirname(process.execPath))],
  })
  const wall = await driver.create({
    id: `tools-${process.pid}-${randomBytes(4).toString('hex')}`,
    workspace,
    limits: { ...defaultLimits, ...limits },
    network: { kind: 'none' },
    env: {},
  })
  cleanUp.push(() => wall.destroy())
  const toolbox = await createToolbox({ wall, lifeMs: 110_000, graceMs: 500, ...options })
  cleanUp.push(() => toolbox.close())
  let calls = 0
  const call = (name: string, args: Record<string, unknown>, signal = new AbortController().signal) =>
    toolbox.run({ id: `call-${(calls += 1)}`, name, args }, { signal })
  return { root, workspace, base, git, wall, toolbox, call }
}
