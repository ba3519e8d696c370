import { fork } from 'node:child_process'
import { chmod, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCluster } from '@muster/postgres/cluster'
import { quoted, withClient } from '@muster/testkit/databases'
import type { Answered, Asked } from './one-measure.ts'

/**
 * The one server of a run, on the disk and with the defaults that Muster gives its own. Statement statistics are loaded
 * and switched off, so that they cost no queue anything until one is profiled.
 */
export async function openPlace() {
  const dir = await mkdtemp(join(tmpdir(), 'muster-bench-queue-'))
  await chmod(dir, 0o711)
  const cluster = await openCluster({
    dir: join(dir, 'postgres'),
    log: (line) => process.stderr.write(`${line}\n`),
    settings: { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track': 'none' },
  })
  let made = 0
  const admin = (text: string) => withClient(cluster.superuserUrl, (client) => client.query(text))

  return {
    /** Commits wait for at least one of these. Two regimes within a run make its rates incomparable; ratios are paired. */
    flushesPerSecond: () => flushesPerSecond(join(dir, 'probe')),

    /** Measures in a new process against a new database. */
    async measure(asked: Omit<Asked, 'url' | 'postmaster'>): Promise<Answered> {
      const name = `bench_${(made += 1)}`
      await admin(`create database ${name}`)
      if (asked.what.kind === 'profile')
        await admin(`alter database ${name} set pg_stat_statements.track = 'top'`)
      const url = new URL(cluster.superuserUrl)
      url.pathname = `/${name}`
      try {
        return await inOwnProcess({ ...asked, url: url.href, postmaster: cluster.pid })
      } finally {
        await admin(`drop database if exists ${quoted(name)} with (force)`)
        // Or the writing of what this one left dirty would be in the next one's time.
        await admin('checkpoint')
      }
    },

    async close() {
      await cluster.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export type Place = Awaited<ReturnType<typeof openPlace>>

function inOwnProcess(asked: Asked): Promise<Answered> {
  const child = fork(join(import.meta.dirname, 'one-measure.ts'), [], {
    // For what is told of memory (memory.ts). It costs nothing until it is asked.
    execArgv: ['--expose-gc'],
  })
  return new Promise((resolve, reject) => {
    let answer: Answered | undefined
    child.once('message', (message) => (answer = message as Answered))
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (answer !== undefined) resolve(answer)
      else reject(new Error(`${asked.engine} (${asked.what.kind}) ended with ${String(code ?? signal)}`))
    })
    child.send(asked)
  })
}

async function flushesPerSecond(path: string): Promise<number> {
  const file = await open(path, 'w')
  const page = Buffer.alloc(8_192, 1)
  const began = performance.now()
  let count = 0
  while (performance.now() - began < 250) {
    await file.write(page, 0, page.length, 0)
    await file.datasync()
    count += 1
  }
  await file.close()
  return count / ((performance.now() - began) / 1_000)
}
