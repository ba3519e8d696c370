import { profiles, type Profile } from './programs.ts'

/** A failing run says how to repeat it: MODEL_SEED and MODEL_PATH lead to the very program, MODEL_PROGRAMS asks for more of them. */
export const seed = Number(process.env['MODEL_SEED'] ?? 20_261_121)
export const usualPrograms = 40
export const wantedPrograms = Number(process.env['MODEL_PROGRAMS'] ?? usualPrograms)
export const replayed = process.env['MODEL_PATH']

const named = process.env['MODEL_PROFILE']
export const wantedProfiles = (Object.keys(profiles) as Profile[]).filter(
  (each) => named === undefined || each === named,
)
