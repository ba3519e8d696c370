import { hubMessage, type HubMessage } from '@muster/contract/wire'
import type { WallStatus } from '@muster/contract/workers'
import type { WebSocket } from 'ws'

/** A worker that is connected to this hub now. */
export type Connection = {
  workspaceId: string
  workerId: string
  name: string
  instance: string
  credentialId: string
  slots: number
  capabilities: string[]
  walls: WallStatus[]
  /** It takes no work, by its own word. */
  blocked: boolean
  restarting: boolean
  /** The last order that was passed on here. */
  orderedAt?: string
  /** Pings since the worker was last heard. */
  unanswered: number
  send(message: HubMessage): void
  /** Bytes that were sent and that the worker has not read. */
  backlog(): number
  ping(): void
  close(code: number, reason: string): void
  /** At once; a worker that is frozen would not answer a close. */
  terminate(): void
}

export type Connections = ReturnType<typeof createConnections>

/** The sockets of this hub, by worker. Only presence lives here; what a worker holds is in the database. */
export function createConnections() {
  const byWorker = new Map<string, Connection>()
  return {
    get: (workerId: string) => byWorker.get(workerId),
    all: () => [...byWorker.values()],
    add: (connection: Connection) => void byWorker.set(connection.workerId, connection),
    /** False when a newer connection of the same worker has taken its place already. */
    remove(connection: Connection): boolean {
      return byWorker.get(connection.workerId) === connection && byWorker.delete(connection.workerId)
    },
  }
}

// Above this a worker is not reading; it is dropped rather than buffered without bound.
const maxBufferedBytes = 8 * 1024 * 1024

export function sender(socket: WebSocket): (message: HubMessage) => void {
  return (message) => {
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > maxBufferedBytes) return socket.terminate()
    socket.send(JSON.stringify(hubMessage.parse(message)))
  }
}
