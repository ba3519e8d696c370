import { createHash } from 'node:crypto'
import { access, constants, lstat, mkdir, readdir, realpath, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCluster } from '@muster/postgres/cluster'
import { identify } from '@muster/postgres/process-identity'

/** A superuser's URL of the server that tests make their databases on. Set it to run the tests on your own server. */
export const testDatabaseVariable = 'MUSTER_TEST_DATABASE_URL'

const repositoryRoot = join(import.meta.dirname, '../../..')

export interface TestCluster {
  url: string
}

/** The one server of this test run. The run's main process opens it, see vitest-global-setup.ts, so workers share it. */
export function testCluster(): TestCluster {
  const url = process.env[testDatabaseVariable]
  if (url) return { url }
  throw new Error(
    `${testDatabaseVariable} is not set: add packages/testkit/src/vitest-global-setup.ts to the project's globalSetup`,
  )
}

/**
 * Every run has its own server in its own directory, so two runs of one checkout, or of several, cannot meet. A directory
 * that a killed run left behind is removed by the next one: its server was stopped by the server's guard.
 */
export async function openTestCluster(): Promise<TestCluster & { stop(): Promise<void> }> {
  const runs = await runsDirectory()
  await removeDeadRuns(runs)
  const dir = join(runs, `run-${process.pid}`)
  const cluster = await openCluster({
    dir,
    // Inside the run's directory, so that a killed run leaves nothing elsewhere, unless that makes the path too long.
    socketParent: dir.length < 60 ? dir : '/tmp',
    log: (line) => process.stderr.write(`${line}\n`),
    settings: { max_connections: '200' },
  })
  return {
    url: cluster.superuserUrl,
    async stop() {
      await cluster.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function runsDirectory(): Promise<string> {
  const key = createHash('sha256')
    .update(await realpath(repositoryRoot))
    .digest('hex')
    .slice(0, 12)
  const runs = join(await fastParent(), `muster-test-${process.getuid?.() ?? 0}-${key}`)
  await mkdir(runs, { recursive: true, mode: 0o711 })
  const { uid } = await lstat(runs)
  if (uid !== process.getuid?.()) throw new Error(`${runs} belongs to uid ${uid}: remove it`)
  return runs
}

/** Memory when there is plenty: a run needs some 100 MB, and a container's default /dev/shm has 64 MB. */
export async function fastParent(): Promise<string> {
  try {
    await access('/dev/shm', constants.W_OK)
    const { bavail, bsize } = await statfs('/dev/shm')
    return bavail * bsize > 2 * 1024 ** 3 ? '/dev/shm' : tmpdir()
  } catch {
    return tmpdir()
  }
}

async function removeDeadRuns(runs: string): Promise<void> {
  for (const name of await readdir(runs)) {
    const pid = Number(name.replace(/^run-/, ''))
    if (pid === process.pid || (await identify(pid)) === undefined) {
      // Retried, since a run killed this second may still have a server that writes its last.
      await rm(join(runs, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    }
  }
}
