import type { Actor } from '../kernel/actor.ts'

// Long enough for somebody who was at work when the database went away, short enough for a token that was revoked
// through another hub just before.
const keptMs = 5 * 60_000
const most = 1_000

/**
 * People whose credential the database confirmed a short time ago, in this hub's memory and by hash. Only for verbs that
 * make things safer and must work without the database; nothing is read or written on the word of it.
 */
export function createRemembered(now: () => number) {
  const byHash = new Map<string, { actor: Actor; at: number }>()
  return {
    note(hash: Buffer, actor: Actor): void {
      if (actor.kind !== 'person') return
      const key = hash.toString('hex')
      // Taken out first: the map is in the order of the last use, and its first one is the oldest.
      byHash.delete(key)
      byHash.set(key, { actor, at: now() })
      if (byHash.size > most) byHash.delete(byHash.keys().next().value ?? '')
    },

    recall(hash: Buffer): Actor | undefined {
      const found = byHash.get(hash.toString('hex'))
      return found === undefined || now() - found.at > keptMs ? undefined : found.actor
    },

    credentialIds: () => [...byHash.values()].flatMap(({ actor }) => actor.credentialId ?? []),

    forget(ended: ReadonlySet<string>): void {
      for (const [key, { actor }] of byHash) if (ended.has(actor.credentialId ?? '')) byHash.delete(key)
    },
  }
}
