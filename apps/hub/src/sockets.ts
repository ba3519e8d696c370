import { serveWorker } from './agents/socket.ts'
import type { OnError, Rooms } from './hub.ts'
import type { Log } from './kernel/log.ts'
import { serveLive } from './runs/live.ts'
import type { Socket } from './server.ts'

/** Who is served over a socket, and by which rooms. */
export function socketsOf(
  { agents, runs, mail, models, db, events, hints, progress, leaseMs }: Rooms,
  log: Log,
  onError: OnError,
): Socket[] {
  return [
    {
      path: '/api/v1/workers/socket',
      kind: 'worker',
      serve: (actor, socket) =>
        serveWorker({
          agents,
          runs: runs.handler,
          mail: mail.handler,
          models: models.handler,
          log,
          leaseMs,
          actor,
          socket,
        }),
    },
    {
      path: '/api/v1/live',
      kind: 'person',
      serve: (actor, socket) =>
        serveLive({ db, events, hints, progress }, actor, socket, onError('a live view failed; it goes on')),
    },
  ]
}
