import { openBareLoop } from './bare-loop.ts'
import type { OpenEngine } from './engine.ts'
import { openGraphileWorker } from './graphile-worker.ts'
import { openMusterRooms } from './muster-rooms.ts'
import { openMusterSockets } from './muster-sockets.ts'
import { openPgBoss } from './pg-boss.ts'

export const peers = ['graphile-worker', 'pg-boss']

export const engines: Record<string, OpenEngine> = {
  'bare loop': openBareLoop,
  'graphile-worker': openGraphileWorker,
  'pg-boss': openPgBoss,
  'muster claim+end': openMusterRooms('claimed and ended'),
  'muster whole cycle': openMusterRooms('whole'),
  'muster over sockets': openMusterSockets,
}
