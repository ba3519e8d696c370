import type { MailPush } from '@muster/contract/wire-mail'
import type { Present } from '../agents/roll.ts'

export type Told = Map<string, Present>

/**
 * What differs between what the agents of a workspace were told last and what is true now. From two states and not from
 * the events between them: a hub that was killed says nothing about the workers that it held, and an agent that came back
 * within a second is no news.
 */
export function presenceNews(told: Told, now: Told): { about: string; push: MailPush }[] {
  return [...now.values()].flatMap(({ id, name, status, online }): { about: string; push: MailPush }[] => {
    const before = told.get(id)
    if (online !== (before?.online ?? false)) {
      const push = online
        ? ({ type: 'agent_joined', name, status } as const)
        : ({ type: 'agent_left', name } as const)
      return [{ about: id, push }]
    }
    if (before === undefined || before.status === status) return []
    return [{ about: id, push: { type: 'status_changed', name, status } }]
  })
}
