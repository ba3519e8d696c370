import { hubStates, type HubState } from '@muster/contract/costs'

export type CallLimit = { perHour: number; perDay: number }
export type CallCount = { hour: number; day: number }

/** COST-02: what the hub may ask for itself, until a workspace says otherwise. */
export const builtIn: Readonly<Record<HubState, CallLimit>> = {
  executing: { perHour: 20, perDay: 100 },
  improving: { perHour: 10, perDay: 40 },
  contemplating: { perHour: 5, perDay: 15 },
}

/** COST-03: more of the hub's own calls than this in an hour is told to people, whatever its states allow. */
export const manyCallsPerHour = 50

/** Why the hub may not ask in this state now; undefined while it may. What is under way counts. */
export function whyTooOften(state: HubState, { hour, day }: CallCount, limit: CallLimit): string | undefined {
  if (hour >= limit.perHour)
    return `While ${state}, the hub asked ${hour} of at most ${limit.perHour} times in the last hour.`
  if (day >= limit.perDay)
    return `While ${state}, the hub asked ${day} of at most ${limit.perDay} times in the last day.`
  return undefined
}

export function isHubState(text: string): text is HubState {
  return hubStates.some((each) => each === text)
}
