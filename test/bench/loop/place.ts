import { execFileSync, fork } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Toolbox } from '@muster/agent/loop/toolbox'
import type { Checkpoint } from '@muster/agent/tools/checkpoint'
import { createToolbox } from '@muster/agent/tools/toolbox'
import { openCluster } from '@muster/postgres/cluster'
import { createNamespaceDriver } from '@muster/sandbox/namespace/driver'
import { defaultLimits } from '@muster/sandbox/sandbox'
import { Pool } from 'pg'
import { directToolbox } from './direct-toolbox.ts'
import type { Seen } from './model-server.ts'
import { files } from './script.ts'

/** Where all loops of one run of the bench work: one server of models, one PostgreSQL, walls of one driver. */
export async function openPlace() {
  const dir = await mkdtemp(join(tmpdir(), 'muster-bench-loop-'))
  await chmod(dir, 0o711)
  const cluster = await openCluster({
    dir: join(dir, 'postgres'),
    log: (line) => process.stderr.write(`${line}\n`),
  })
  const server = fork(join(import.meta.dirname, 'model-server.ts'))
  const port = await new Promise<number>((resolve, reject) => {
    server.once('message', (message) => resolve(message as number))
    server.once('exit', () => reject(new Error('The server of models ended.')))
  })
  const database = new Pool({ connectionString: cluster.superuserUrl, max: 4 })
  // At the end the server may say goodbye to a connection before the pool does.
  database.on('error', () => {})
  await database.query(
    'create table steps (run text, seq int, step jsonb, said jsonb, state jsonb, bundle text, primary key (run, seq))',
  )
  const driver = createNamespaceDriver({
    stateDir: join(dir, 'walls'),
    tools: [dirname(dirname(process.execPath))],
  })
  let made = 0

  async function workspace() {
    const name = `run-${(made += 1)}`
    const path = join(dir, name)
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(path, file)), { recursive: true })
      await writeFile(join(path, file), text)
    }
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.org', ...args], {
        cwd: path,
        encoding: 'utf8',
      }).trim()
    git('init', '--quiet')
    git('add', '--all')
    git('commit', '--quiet', '--message=Base')
    return { path, base: git('rev-parse', 'HEAD'), name }
  }

  return {
    database,
    url: (name: string) => `http://127.0.0.1:${port}/${name}`,
    async seen(name: string): Promise<Seen> {
      return (await fetch(`http://127.0.0.1:${port}/${name}/seen`)).json() as Promise<Seen>
    },
    /** Tools on a fresh workspace, without a wall. */
    async direct(): Promise<Room> {
      const { name, path } = await workspace()
      return { name, toolbox: directToolbox(path), close: async () => {} }
    },
    /** Tools on a fresh workspace, in a wall. */
    async walled(): Promise<Room> {
      const { name, path, base } = await workspace()
      const wall = await driver.create({
        id: `bench-${process.pid}-${name}`,
        workspace: path,
        limits: defaultLimits,
        network: { kind: 'none' },
        env: {},
      })
      const toolbox = await createToolbox({ wall, lifeMs: 600_000 })
      return {
        name,
        toolbox,
        checkpoint: () => toolbox.checkpoint(base),
        async close() {
          await toolbox.close()
          await wall.destroy()
        },
      }
    },
    async close() {
      server.disconnect()
      await database.end()
      await cluster.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export type Room = {
  name: string
  toolbox: Toolbox
  /** Of the files, out of the wall. */
  checkpoint?: () => Promise<Checkpoint>
  close(): Promise<void>
}

export type Place = Awaited<ReturnType<typeof openPlace>>
