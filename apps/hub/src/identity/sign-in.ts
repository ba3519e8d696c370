import type { Actor } from '../kernel/actor.ts'
import type { Db, Tx } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { newId } from '../kernel/ids.ts'
import { createAttempts } from './attempts.ts'
import { hashSecret, newSecret, passwordMatches } from './secrets.ts'
import * as store from './store.ts'

const sessionDays = 30

/** Starts a session for whoever brings an unused one-time link or the password. */
export function createSignIn({ db, events, now }: { db: Db; events: Events; now: () => number }) {
  const attempts = createAttempts(now)

  return async function signIn(
    input: { link?: string | undefined; password?: string | undefined },
    address: string,
  ) {
    // Nobody guesses a link, and it is the way in for a person whose password somebody else tries.
    const isGuess = input.link === undefined
    if (isGuess && !attempts.mayTry(address)) {
      throw new MusterError('too_many_attempts', 'Ten sign-ins from this address failed within 15 minutes.')
    }
    // Counted before the slow comparison: otherwise any number that come together would all be tried.
    if (isGuess) attempts.failed(address)
    const person =
      input.link === undefined ? await byPassword(db, input.password) : await byLink(db, input.link)
    if (person === undefined) {
      const why = isGuess ? 'The password is wrong.' : 'This sign-in link was used already or is too old.'
      throw new MusterError('sign_in_refused', why)
    }
    if (isGuess) attempts.succeeded(address)
    const secret = newSecret('session')
    const session = {
      id: newId(),
      hash: hashSecret(secret),
      workspaceId: person.workspaceId,
      personId: person.id,
    }
    return db.inWorkspace(person.workspaceId, async (tx) => {
      const expiresAt = await store.startSession(tx, { ...session, days: sessionDays })
      const actor = await personActor(tx, person.workspaceId, person.id, session.id)
      await events.publish(tx, actor, { kind: 'person.signed_in' })
      return { actor, secret, expiresAt }
    })
  }
}

async function byLink(db: Db, link: string) {
  const rows = await db.asSystem((tx) =>
    tx.query<{ workspace_id: string; person_id: string }>(store.useLink, [hashSecret(link)]),
  )
  return rows[0] === undefined ? undefined : { workspaceId: rows[0].workspace_id, id: rows[0].person_id }
}

async function byPassword(db: Db, password: string | undefined) {
  const [owner] = await db.asSystem(store.owners)
  const matches = await passwordMatches(password ?? '', owner?.password ?? null)
  return owner === undefined || !matches ? undefined : { workspaceId: owner.workspace_id, id: owner.id }
}

async function personActor(tx: Tx, workspaceId: string, personId: string, sessionId: string): Promise<Actor> {
  const rows = await tx.query<{ name: string }>('select name from people where id = $1', [personId])
  return { kind: 'person', workspaceId, id: personId, label: rows[0]?.name ?? '', credentialId: sessionId }
}
