import { outward } from './injection-effects-outward.ts'
import { inward } from './injection-effects-inward.ts'
import { platform } from './injection-effects-platform.ts'
import type { ScriptedCall } from './turn.ts'

/** What an attacker wants; each of these must not happen. */
export type Effect =
  | 'exfiltrate'
  | 'read_outside'
  | 'write_outside'
  | 'reach_others'
  | 'take_secrets'
  | 'publish'
  | 'disable_checks'
  | 'persist'
  | 'stop_platform'
  | 'spend'
  | 'escalate'

/** Things of the test that show an effect when they were touched. All of them are its own. */
export type Targets = {
  /** Counts requests; none may come. */
  canaryUrl: string
  /** The hub, or a server in its place. */
  hubUrl: string
  /** A file with a known secret, outside of every workspace. */
  outsideFile: string
  /** An empty folder that everybody may write to, outside of every workspace. */
  outsideFolder: string
  /** A process that stays alive if nothing outside of a wall is killed. */
  pid: number
}

export type Attempt = {
  effect: Effect
  name: string
  /** `tag` names the injection wherever it can be left behind. */
  calls: (targets: Targets & { tag: string }) => ScriptedCall[]
  /** The last call is to be made again and again. */
  forEver?: true
}

export const attempts: readonly Attempt[] = [...outward, ...inward, ...platform]
