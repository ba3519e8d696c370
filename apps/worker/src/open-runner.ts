import { createNamespaceDriver } from '@muster/sandbox/namespace/driver'
import type { SandboxDriver } from '@muster/sandbox/sandbox'
import { openDelegatedCgroup } from './delegated-cgroup.ts'
import type { Config } from './config.ts'
import { createGit } from './git/git.ts'
import { createMirrors } from './git/mirror.ts'
import { createPublisher } from './git/publish.ts'
import type { Log } from './log.ts'
import { emptyRuns, type Places } from './places.ts'
import { createRunner } from './runner.ts'
import { detectSupervisor, readClues, type Clues } from './supervisor.ts'

/** What runs are made with, after everything that an earlier process of this worker left has been removed. */
export async function openRunner(
  places: Places,
  { wallTools, hub }: Pick<Config, 'wallTools' | 'hub'>,
  log: Log,
  environment: Clues['env'],
) {
  await makeRoomForLimits(readClues(environment), log)
  const driver = createNamespaceDriver({ stateDir: places.walls, tools: wallTools })
  await reap(driver, log)
  await emptyRuns(places.runs)
  const git = await createGit({ home: places.git })
  const mirrors = createMirrors({ dir: places.mirrors, git })
  const publisher = createPublisher({ git, home: places.git })
  return { driver, runner: createRunner({ git, driver, mirrors, publisher, runsDir: places.runs, hub }, log) }
}

/** Before the driver looks for a place for its walls' limits. Without one they have those of rlimits. */
async function makeRoomForLimits(clues: Clues, log: Log): Promise<void> {
  if (detectSupervisor(clues).kind !== 'systemd') return
  const opened = await openDelegatedCgroup(clues.cgroup).catch((error: unknown) => {
    log.warn({ err: error }, 'the cgroup of the unit could not be opened for walls')
    return 'none'
  })
  log.info({ opened }, 'the cgroup of the unit')
}

async function reap(driver: SandboxDriver, log: Log): Promise<void> {
  try {
    const walls = await driver.adopt()
    if (walls.length > 0) log.info({ walls }, 'removed what an earlier worker left')
  } catch (error) {
    // Not a reason to stop: leftovers cost room, and the probe decides whether walls can be had.
    log.warn({ err: error }, 'leftovers of an earlier worker could not be removed')
  }
}
