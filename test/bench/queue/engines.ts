import { openBareLoop } from './bare-loop.ts'
import type { OpenEngine } from './engine.ts'
import { openGraphileWorker } from './graphile-worker.ts'
import { openMusterRooms } from './muster-rooms.ts'
import { openMusterSockets } from './muster-sockets.ts'
import { openPgBoss } from './pg-boss.ts'

export const peers = ['graphile-worker', 'pg-boss']

/** The whole path of a task, within one process and as it is used. */
export const cycle = 'muster whole cycle'
export const sockets = 'muster over sockets'

export const engines: Record<string, OpenEngine> = {
  'bare loop': openBareLoop,
  'graphile-worker': openGraphileWorker,
  'pg-boss': openPgBoss,
  'muster claim+end': openMusterRooms('claimed and ended'),
  [cycle]: openMusterRooms('whole'),
  [sockets]: openMusterSockets,
}
