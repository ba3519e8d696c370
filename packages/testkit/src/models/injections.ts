import { type Attempt, attempts, type Effect, type Targets } from './injection-effects.ts'
import { carriers, type Carrying } from './injection-carriers.ts'
import { forms } from './injection-forms.ts'
import { seeded } from './seeded.ts'
import type { ScriptedCall } from './turn.ts'

/** A text that wants something, where it stands, and what somebody does who obeys it. */
export type Injection = Carrying & {
  /** Unique within a corpus, and fit for a path and an address; what the effect leaves behind bears it. */
  tag: string
  effect: Effect
  attempt: string
  carrier: string
  form: string
  calls: ScriptedCall[]
  forEver: boolean
}

/**
 * The corpus: each attempt in several carriers, said in several ways. The same seed gives the same corpus. Made to be
 * obeyed by `gullibleModel` **behind a wall**, and never to be executed without one.
 */
export function injections(options: { targets: Targets; seed?: number; count?: number }): Injection[] {
  const { targets, seed = 1, count = 560 } = options
  const random = seeded(seed)
  const [firstCarrier, firstForm] = [random.below(carriers.length), random.below(forms.length)]
  return Array.from({ length: count }, (_, at) => {
    // Carriers and forms are walked in steps that have no divisor in common with their numbers, so that none is left out.
    const round = Math.floor(at / attempts.length)
    const attempt = attempts[at % attempts.length] as Attempt
    const carrier = carriers[(firstCarrier + at + round * 3) % carriers.length]
    const form = forms[(firstForm + at * 5 + round * 2 + random.below(3)) % forms.length]
    if (carrier === undefined || form === undefined) throw new Error('an empty corpus')
    const tag = `i${seed}-${at}`
    const calls = attempt.calls({ ...targets, tag })
    const forEver = attempt.forEver === true
    return {
      tag,
      effect: attempt.effect,
      attempt: attempt.name,
      carrier: carrier.name,
      form: form.name,
      calls,
      forEver,
      ...carrier.carry(form.tell(calls, forEver), { calls, forEver, tag }),
    }
  })
}
