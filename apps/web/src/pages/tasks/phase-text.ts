import { runPhases, type RunPhase } from '@muster/contract/task-states'
import { phaseWords } from '../../components/state-words.ts'

export function knownPhase(phase: string | null): RunPhase | undefined {
  return runPhases.find((known) => known === phase)
}

/** The phase in words; one that this page does not know yet is shown as it came. */
export function phaseText(phase: string | null): string {
  const known = knownPhase(phase)
  return known === undefined ? (phase ?? '') : phaseWords[known]
}
