import * as fc from 'fast-check'
import { openDb } from '../../apps/hub/test-support/rooms.ts'
import { modelDatabase } from './engine/database.ts'
import type { Around } from './engine/engine.ts'
import { createInterleaving } from './engine/interleave.ts'
import { startProgram, type Ground } from './program.ts'
import { programs, type Profile } from './programs.ts'

/** Opens what programs run on, for all tests of a file. */
export async function openGround(onFinished: (undo: () => Promise<void>) => void): Promise<Ground> {
  const database = await modelDatabase(onFinished)
  const dbs = [0, 1].map(() => openDb(database, onFinished, 4))
  return { database, dbs, interleaving: createInterleaving(database) }
}

/** At most; a step for which there is nothing to do it to is left out, which is about half of them. */
const stepsOfProgram = 90

export type Outcome = { programs: number; logs: string[][]; failure: string | undefined }

/**
 * Runs programs until one fails. The seed decides everything: the same one makes the same programs, in the same order, with the
 * same interleavings. `path` leads straight to one that failed.
 */
export async function checkPrograms(
  ground: Ground,
  options: {
    profile: Profile
    seed: number
    programs: number
    around?: Around
    path?: string
    shrink?: boolean
  },
): Promise<Outcome> {
  const { setup, commands } = programs(options.profile, stepsOfProgram)
  const logs: string[][] = []
  const property = fc.asyncProperty(setup, commands, async (shape, steps) => {
    const program = await startProgram(ground, shape, options.around ?? {})
    logs.push(program.log)
    try {
      // A program begins with every worker connected; otherwise most would have nothing to do.
      for (let worker = 0; worker < shape.workers; worker++) {
        const slots = 1 + (worker % 2)
        await program.alone({
          do: 'hello',
          hub: worker % shape.hubs,
          worker,
          copy: false,
          slots,
          wall: true,
          holding: [],
        })
      }
      await fc.asyncModelRun(() => ({ model: { program, serial: 0 }, real: {} }), steps)
    } finally {
      program.close()
    }
  })
  const run = await fc.check(property, {
    seed: options.seed,
    numRuns: options.programs,
    // Unbiased: fast-check begins with short programs, in which little can go wrong.
    unbiased: true,
    endOnFailure: options.shrink !== true,
    ...(options.path === undefined ? {} : { path: options.path }),
  })
  const failure = run.failed ? reasonOf(run, options) : undefined
  return { programs: run.numRuns, logs, failure }
}

function reasonOf(
  run: { errorInstance: unknown; counterexamplePath: string | null },
  options: { seed: number; profile: Profile },
) {
  const error = run.errorInstance
  const what =
    error instanceof Error
      ? error.constructor.name === 'Violation'
        ? error.message
        : (error.stack ?? error.message)
      : String(error)
  return `${what}\n  again with MODEL_SEED=${options.seed} MODEL_PATH=${run.counterexamplePath ?? ''} MODEL_PROFILE=${options.profile}`
}
