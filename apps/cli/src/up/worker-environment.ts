import type { Config } from '../config.ts'

export type WorkerStart = {
  hub: string
  tokenFile: string
  data: string
  slots: number
  /** Who starts it again, and how often that was. */
  supervisor: 'up' | 'join'
  restarts: number
}

/** Everything that a worker process is told. Its token is in a file: environments are shown by too many tools. */
export function workerEnvironment(config: Config, worker: WorkerStart): Record<string, string> {
  return {
    ...config.inherited,
    MUSTER_HUB: worker.hub,
    MUSTER_TOKEN_FILE: worker.tokenFile,
    MUSTER_WORKER_DATA: worker.data,
    MUSTER_SLOTS: String(worker.slots),
    MUSTER_SUPERVISOR: worker.supervisor,
    MUSTER_RESTARTS: String(worker.restarts),
    MUSTER_CAPABILITIES: config.capabilities.join(','),
    MUSTER_OLLAMA_URL: config.ollamaUrl,
    MUSTER_WALL_TOOLS: config.wallTools.join(':'),
    MUSTER_WAKE: config.wake,
    MUSTER_RESTART_GRACE: String(config.restartGraceSeconds),
    MUSTER_WORKER_MEMORY: String(config.workerMemoryMb),
    MUSTER_LOG_LEVEL: config.logLevel,
  }
}
