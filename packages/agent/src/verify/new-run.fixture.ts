import { createNamespaceDriver } from '@muster/sandbox/namespace/driver'
import { defaultLimits } from '@muster/sandbox/sandbox'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Check } from './check.ts'
import { planProof, proofPaths, strayRule } from './proof-plan.ts'
import type { TreeEntry } from './proof-files.ts'
import { verify, type VerifyInput } from './verify.ts'

export type Work = { files?: Record<string, string>; gone?: string[]; links?: Record<string, string> }

/** A workspace that is a clean checkout of a run's commit on top of its base, in a fresh wall. */
export async function newRun(
  base: Record<string, string>,
  work: Work,
  { readOnly = [] }: { readOnly?: { host: string; inside: string }[] } = {},
) {
  const root = mkdtempSync(join(tmpdir(), 'muster-verify-'))
  onTestFinished(() => {
    // What a check closed is closed to its owner too, unless that is root.
    execFileSync('chmod', ['-R', 'u+rwX', root])
    rmSync(root, { recursive: true, force: true })
  })
  chmodSync(root, 0o755)
  const workspace = join(root, 'workspace')
  mkdirSync(workspace)
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']
    return execFileSync('git', [...identity, ...args], { cwd: workspace, encoding: 'utf8' }).trim()
  }
  const write = (files: Record<string, string>) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(workspace, path)), { recursive: true })
      writeFileSync(join(workspace, path), content)
    }
  }
  const commit = (message: string) => {
    git('add', '--all')
    git('commit', '--quiet', '--allow-empty', '--message', message)
    return git('rev-parse', 'HEAD')
  }
  const tree = (commit: string): TreeEntry[] =>
    git('ls-tree', '-r', '-z', commit)
      .split('\0')
      .filter(Boolean)
      .map((line) => {
        const [mode = '', , blob = ''] = line.split(/[ \t]/)
        return { mode, blob, path: line.slice(line.indexOf('\t') + 1) }
      })
  git('init', '--quiet')
  write(base)
  const before = commit('Base')
  for (const path of work.gone ?? []) rmSync(join(workspace, path), { recursive: true })
  write(work.files ?? {})
  for (const [path, target] of Object.entries(work.links ?? {})) symlinkSync(target, join(workspace, path))
  const after = commit('Work')
  // Before the wall: then the directory belongs to somebody else, and git refuses it, as it should.
  const trees = { base: tree(before), commit: tree(after) }
  const tools = dirname(dirname(process.execPath))
  const driver = createNamespaceDriver({ stateDir: join(root, 'state'), graceMs: 500, tools: [tools] })
  const id = `verify-${process.pid}-${Math.floor(performance.now())}`
  const limits = { ...defaultLimits, memoryBytes: 512 * 2 ** 20 }
  const wall = await driver.create({ id, workspace, limits, network: { kind: 'none' }, env: {}, readOnly })
  onTestFinished(() => wall.destroy())

  return async (checks: Check[], more: Partial<VerifyInput> & { mayChange?: string[] } = {}) => {
    const rules = { ...trees, checks, mayChange: more.mayChange ?? [] }
    const [plan, sealed] = [planProof(rules), proofPaths(rules)]
    const stray = strayRule(rules, plan)
    const changed = { files: 1, insertions: 1, deletions: 0 }
    return verify({
      wall,
      checks,
      base: before,
      commit: after,
      run: 1,
      changed,
      plan,
      sealed,
      stray,
      ...more,
    })
  }
}
