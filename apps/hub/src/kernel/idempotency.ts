import { createHash } from 'node:crypto'
import type { Actor } from './actor.ts'
import type { Outcome } from './batches.ts'
import type { Tx } from './db.ts'
import { MusterError } from './errors.ts'

/** One request under its key. */
export type Keyed = { actor: Actor; key: string; route: string; body: unknown }

const claim = {
  name: 'idempotency_claim',
  // In one order for everybody: two pieces of work that share keys would wait for each other in a ring.
  text: `insert into idempotency_keys (workspace_id, actor, key, request_hash)
         select $1, k.actor, k.key, k.hash from unnest($2::text[], $3::text[], $4::bytea[]) as k (actor, key, hash)
         order by k.actor, k.key
         on conflict do nothing returning actor, key`,
}
const stored = {
  name: 'idempotency_stored',
  text: `select actor, key, request_hash, response from idempotency_keys
         where workspace_id = $1 and (actor, key) in (select * from unnest($2::text[], $3::text[]))`,
}
const remember = {
  name: 'idempotency_remember',
  text: `update idempotency_keys i set response = k.response
         from unnest($2::text[], $3::text[], $4::jsonb[]) as k (actor, key, response)
         where i.workspace_id = $1 and i.actor = k.actor and i.key = k.key`,
}
const forget = {
  name: 'idempotency_forget',
  text: `delete from idempotency_keys
         where workspace_id = $1 and (actor, key) in (select * from unnest($2::text[], $3::text[]))`,
}

/**
 * Same key and request: same answer and one effect, for any number and interleaving of repeats. A concurrent
 * repeat waits on the key's row until the first commits. Nothing is stored when the verb fails, so a refused
 * request may be corrected and sent again under its key.
 */
export async function once<T>(tx: Tx, request: Keyed, verb: () => Promise<T>): Promise<T> {
  const [outcome] = await onceEach<T>(tx, request.actor.workspaceId, [request], async (positions) =>
    positions.length === 0 ? [] : [{ status: 'fulfilled', value: await verb() }],
  )
  if (outcome?.status === 'fulfilled') return outcome.value
  throw outcome?.reason
}

/**
 * The same for many requests of one workspace in one transaction, some of them without a key. `verb` does those at the
 * given positions and answers in their order; a refusal it answers instead of throwing touches no other request.
 */
export async function onceEach<T>(
  tx: Tx,
  workspaceId: string,
  requests: (Keyed | undefined)[],
  verb: (positions: number[]) => Promise<Outcome<T>[]>,
): Promise<Outcome<T>[]> {
  const all = requests.map((request) => (request === undefined ? undefined : owned(request)))
  const keyed = all.filter((request) => request !== undefined)
  const claimed = new Set(keyed.length === 0 ? [] : await claimAll(tx, workspaceId, keyed))
  const firsts = all.flatMap((request, at) =>
    // The second of one moment finds the key gone from the set and is a repeat, as one that came later would be.
    request === undefined || claimed.delete(request.name) ? [at] : [],
  )
  const done = await verb(firsts)
  const outcomes = new Map(firsts.map((at, nth) => [at, done[nth] as Outcome<T>]))
  const ended = firsts.flatMap((at) => {
    const [request, outcome] = [all[at], outcomes.get(at)]
    return request === undefined || outcome === undefined ? [] : [{ request, outcome }]
  })
  const refused = new Map(
    ended.flatMap(({ request, outcome }) => (outcome.status === 'rejected' ? [[request.name, outcome]] : [])),
  )
  const kept = ended.flatMap(({ request, outcome }) =>
    outcome.status === 'fulfilled' ? [{ request, response: outcome.value }] : [],
  )
  await keep(tx, workspaceId, kept)
  await drop(
    tx,
    workspaceId,
    ended.filter(({ request }) => refused.has(request.name)).map(({ request }) => request),
  )
  const repeats = all.flatMap((request, at) =>
    request === undefined || outcomes.has(at) ? [] : [{ request, at }],
  )
  const answers = await answersOf<T>(
    tx,
    workspaceId,
    repeats.map(({ request }) => request),
  )
  for (const { request, at } of repeats) {
    outcomes.set(at, refused.get(request.name) ?? repeated(request, answers.get(request.name)))
  }
  return requests.map((_, at) => outcomes.get(at) as Outcome<T>)
}

type Owned = { name: string; owner: string; key: string; hash: Buffer }

function owned({ actor, key, route, body }: Keyed): Owned {
  const owner = `${actor.kind}:${actor.id ?? ''}`
  const hash = createHash('sha256')
    .update(JSON.stringify([route, body]))
    .digest()
  return { name: nameOf(owner, key), owner, key, hash }
}

const nameOf = (owner: string, key: string) => `${owner} ${key}`
const namesOf = (requests: Owned[]) => [requests.map((each) => each.owner), requests.map((each) => each.key)]

async function claimAll(tx: Tx, workspaceId: string, keyed: Owned[]): Promise<string[]> {
  const hashes = keyed.map((request) => request.hash)
  const rows = await tx.query<{ actor: string; key: string }>(claim, [workspaceId, ...namesOf(keyed), hashes])
  return rows.map((row) => nameOf(row.actor, row.key))
}

async function keep(tx: Tx, workspaceId: string, kept: { request: Owned; response: unknown }[]) {
  if (kept.length === 0) return
  const responses = kept.map(({ response }) => JSON.stringify(withoutSecret(response)))
  await tx.query(remember, [workspaceId, ...namesOf(kept.map(({ request }) => request)), responses])
}

async function drop(tx: Tx, workspaceId: string, requests: Owned[]) {
  if (requests.length > 0) await tx.query(forget, [workspaceId, ...namesOf(requests)])
}

type StoredRow<T> = { actor: string; key: string; request_hash: Buffer; response: T | null }

async function answersOf<T>(
  tx: Tx,
  workspaceId: string,
  requests: Owned[],
): Promise<Map<string, StoredRow<T>>> {
  if (requests.length === 0) return new Map()
  const rows = await tx.query<StoredRow<T>>(stored, [workspaceId, ...namesOf(requests)])
  return new Map(rows.map((row) => [nameOf(row.actor, row.key), row]))
}

function repeated<T>(request: Owned, row: StoredRow<T> | undefined): Outcome<T> {
  if (row === undefined || row.response === null || !row.request_hash.equals(request.hash)) {
    const reason = new MusterError(
      'idempotency_mismatch',
      'This Idempotency-Key was used for another request.',
    )
    return { status: 'rejected', reason }
  }
  if (typeof row.response === 'object' && 'secret' in row.response) {
    const words = 'This request already made a secret, which was shown then.'
    return { status: 'rejected', reason: new MusterError('token_already_shown', words) }
  }
  return { status: 'fulfilled', value: row.response }
}

// The shape of every secret this hub makes, see identity/secrets.ts.
const secretPattern = /muster_[a-z]+_[\w-]{43}/

/** Secrets are kept hashed only, so of an answer that shows one, alone or in a link, only that is remembered. */
function withoutSecret(response: unknown): unknown {
  return secretPattern.test(JSON.stringify(response)) ? { secret: null } : response
}

// Long enough for any client that still repeats a request; a repeat after it is a new request.
const keptFor = `interval '7 days'`

/** Forgets the keys of requests that nobody repeats any more, a bounded number at a time. */
export async function forgetOldKeys(tx: Tx): Promise<void> {
  await tx.query(
    `delete from idempotency_keys where (workspace_id, actor, key) in (
       select workspace_id, actor, key from idempotency_keys where created_at < now() - ${keptFor}
       order by created_at limit 1000)`,
  )
}
