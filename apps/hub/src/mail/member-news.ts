import type { MailPush } from '@muster/contract/wire-mail'
import type { Member } from './channel-store.ts'

/** Workers by channel. */
export type Members = Map<string, { name: string; workers: Set<string> }>

export function membersByChannel(rows: Member[]): Members {
  const byChannel = Map.groupBy(rows, (row) => row.channel_id)
  return new Map(
    [...byChannel].map(([id, members]) => [
      id,
      { name: members[0]?.channel ?? '', workers: new Set(members.map((member) => member.worker_id)) },
    ]),
  )
}

type News = { channelId: string; about: string; push: MailPush }

/** Who came into which channel and who left it, from two states, as presence is told. */
export function memberNews(told: Members, now: Members, nameOf: (workerId: string) => string): News[] {
  const changes = (from: Members, to: Members, type: 'channel_joined' | 'channel_left') =>
    [...to].flatMap(([channelId, { name: channel, workers }]) =>
      [...workers]
        .filter((worker) => from.get(channelId)?.workers.has(worker) !== true)
        .map((about) => ({ channelId, about, push: { type, channel, name: nameOf(about) } })),
    )
  return [...changes(told, now, 'channel_joined'), ...changes(now, told, 'channel_left')]
}
