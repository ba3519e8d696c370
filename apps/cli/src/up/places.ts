import { createHash } from 'node:crypto'
import { chmod, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export type Places = {
  /** Settings, tokens, logs: for the one who runs Muster only. */
  data: string
  /** Where unprivileged users that Muster starts processes as can pass: the database's and the walls'. */
  reachable: string
  database: string
  worker: string
  logs: string
}

export type Decision = { reachable: string; dataMode: number }

/**
 * PostgreSQL and the walls of root run as other users, and /root is closed to them. So root's parts live in the data
 * directory only where everybody may pass through its ancestors, else under /var/lib/muster; the name there is made
 * from the data directory, so that the same data always finds the same parts. An ordinary user needs none of this.
 */
export function decidePlaces(asked: { data: string; root: boolean; ancestorModes: number[] }): Decision {
  if (!asked.root) return { reachable: asked.data, dataMode: 0o700 }
  if (asked.ancestorModes.every((mode) => (mode & 0o001) !== 0)) {
    return { reachable: asked.data, dataMode: 0o711 }
  }
  const name = createHash('sha256').update(asked.data).digest('hex').slice(0, 12)
  return { reachable: join('/var/lib/muster', name), dataMode: 0o700 }
}

/** Where everything of a data directory is. Changes nothing; the directory must exist. */
export async function findPlaces(asked: string): Promise<Places & { dataMode: number }> {
  const data = await realpath(asked)
  const ancestorModes = await Promise.all(ancestors(data).map(async (path) => (await stat(path)).mode))
  const { reachable, dataMode } = decidePlaces({ data, root: process.getuid?.() === 0, ancestorModes })
  return {
    data,
    reachable,
    dataMode,
    database: join(reachable, 'database'),
    worker: join(reachable, 'worker'),
    logs: join(data, 'logs'),
  }
}

export async function preparePlaces(asked: string): Promise<Places> {
  await mkdir(asked, { recursive: true, mode: 0o700 })
  const places = await findPlaces(asked)
  await chmod(places.data, places.dataMode)
  await mkdir(places.logs, { recursive: true, mode: 0o700 })
  if (places.reachable !== places.data) {
    for (const path of [dirname(places.reachable), places.reachable]) {
      await mkdir(path, { recursive: true, mode: 0o711 })
      await chmod(path, 0o711)
    }
  }
  return places
}

function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [] : [parent, ...ancestors(parent)]
}
