import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { routes, type RouteName, type RouteResponse } from '@muster/contract/routes'
import { ifPresent } from '@muster/postgres/missing-file'
import { isAlive } from '@muster/postgres/process-identity'
import { ApiError, type CallInput, createClient } from '@muster/sdk/client'
import { isLoopback, type Config } from './config.ts'
import { Failure } from './failure.ts'
import type { Output } from './output.ts'
import { pauseBefore } from './retry.ts'
import { readUpFile, supervisorOf } from './up/up-file.ts'

export type Hub = {
  readonly origin: string
  readonly token: string
  /**
   * Calls one operation. Every POST carries an Idempotency-Key, so it is repeated for about 10 s when the hub cannot
   * be reached: the hub answers a repetition with what the first one did.
   */
  call<N extends RouteName>(name: N, input: CallInput<N>): Promise<RouteResponse<N>>
}

/** The hub that MUSTER_HUB names, else the one that runs on this machine. */
export async function connect(config: Config, output: Output): Promise<Hub> {
  const origin = checkedOrigin(config.hub ?? (await localUrl(config.data)))
  const token = config.token ?? (await localToken(config, origin))
  return openHub({ origin, token, output })
}

export function openHub({ origin, token, output }: { origin: string; token: string; output: Output }): Hub {
  const client = createClient({ origin, token })
  // A hub that accepts and then says nothing is as good as none; the database's own limits are shorter than this.
  const limitMs = 20_000
  const once = async <N extends RouteName>(name: N, input: CallInput<N>) => {
    try {
      return await client.call(name, { ...input, signal: input.signal ?? AbortSignal.timeout(limitMs) })
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error
      throw new ApiError(0, {
        code: 'hub_timeout',
        message: `The hub at ${origin} did not answer within ${limitMs / 1_000} s.`,
        hint: 'Try again; "npx muster status" and the log of the hub say more.',
        docs: 'docs/errors.md#hub_timeout',
      })
    }
  }
  return {
    origin,
    token,
    async call(name, input) {
      if (routes[name].method !== 'POST') return once(name, input)
      const keyed = { ...input, idempotencyKey: input.idempotencyKey ?? randomUUID() }
      for (let tries = 0; ; tries++) {
        try {
          return await once(name, keyed)
        } catch (error) {
          const pause =
            error instanceof ApiError ? pauseBefore(tries, { ...error.body, status: error.status }) : null
          if (pause === null) throw error
          if (tries === 0) output.note(whileWaiting(error as ApiError))
          await sleep(pause)
        }
      }
    },
  }
}

function whileWaiting({ body }: ApiError): string {
  if (body.code === 'stopped_unrecorded') return `${body.message} Trying to have it recorded …`
  if (body.code === 'database_unavailable') return 'The database does not answer; trying again for 10 s …'
  return 'The hub does not answer; trying again for 10 s …'
}

/** Refuses an address over which the token would travel in the clear. */
export function checkedOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new Failure(
      'invalid_setting',
      `"${text}" is not the address of a hub.`,
      'Write it like http://127.0.0.1:4600 or https://muster.example.org.',
    )
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new Failure(
      'insecure_hub',
      `${url.origin} is not encrypted and not this machine: the token would travel in the clear.`,
      `Use https, or a tunnel: ssh -L 4600:127.0.0.1:${url.port || 80} ${url.hostname}`,
    )
  }
  return url.origin
}

async function localUrl(data: string): Promise<string> {
  const file = await readUpFile(data)
  if (file !== undefined && file.url !== null && (await isAlive(supervisorOf(file)))) return file.url
  throw new Failure(
    'not_running',
    `Muster does not run here (data directory ${data}).`,
    'Start it with "npm start", or set MUSTER_HUB and MUSTER_TOKEN to use another one.',
  )
}

/** The owner's token of this machine is for the hub of this machine only. */
async function localToken(config: Config, origin: string): Promise<string> {
  const file = await readUpFile(config.data)
  if (file?.url !== null && file?.url !== undefined && new URL(file.url).origin === origin) {
    const token = await ownerToken(config.data)
    if (token !== undefined) return token
  }
  throw new Failure(
    'no_token',
    `There is no token for ${origin}.`,
    'Set MUSTER_TOKEN or MUSTER_TOKEN_FILE; "npx muster token create NAME" on its machine makes one.',
  )
}

export async function ownerToken(data: string): Promise<string | undefined> {
  const text = await ifPresent(readFile(join(data, 'owner.token'), 'utf8'))
  return text?.trim() === '' ? undefined : text?.trim()
}
