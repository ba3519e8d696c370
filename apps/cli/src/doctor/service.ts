import { isAlive } from '@muster/postgres/process-identity'
import { type Config, isLoopback } from '../config.ts'
import { whatIsRefused } from '../commands/refused.ts'
import { connect } from '../connection.ts'
import type { Output } from '../output.ts'
import { endpointWords } from '../commands/model-list.ts'
import { findModels } from './find-models.ts'
import { whyNotFree } from '../up/port.ts'
import { readUpFile, supervisorOf, type UpFile } from '../up/up-file.ts'
import { type Check, fail, ok, skip, type Verdict, warn } from './finding.ts'

export function serviceChecks(config: Config, output: Output): Check[] {
  const running = readUpFile(config.data).then(async (file) =>
    file !== undefined && (await isAlive(supervisorOf(file))) ? file : undefined,
  )
  return [
    { id: 'port', title: 'Port', look: async () => port(config, await running) },
    { id: 'hub', title: 'Hub', look: async () => hub(config, await running) },
    { id: 'workers', title: 'Workers', look: async () => workers(config, output, await running) },
    { id: 'ollama', title: 'Ollama', look: async () => ollama(config) },
    { id: 'models', title: 'Models', look: async () => models(config, output, await running) },
    { id: 'ollama_exposed', title: 'Ollama is private', look: async () => exposed(config) },
  ]
}

async function port(config: Config, running: UpFile | undefined): Promise<Verdict> {
  if (running !== undefined) return ok(`ours (${running.url ?? 'starting'})`)
  if (config.hub !== null) return skip('the hub is elsewhere')
  const code = await whyNotFree(config.host, config.port)
  if (code === undefined) return ok(`${config.port} is free`)
  return fail(
    `${config.host}:${config.port} cannot be used (${code})`,
    'Choose another: MUSTER_PORT=4700 npm start',
  )
}

async function hub(config: Config, running: UpFile | undefined): Promise<Verdict> {
  const origin = config.hub ?? running?.url ?? null
  if (origin === null) return skip('not running; start it with "npm start"')
  const asked = async (path: string) => {
    try {
      return (await fetch(`${origin}${path}`, { signal: AbortSignal.timeout(3_000) })).status
    } catch {
      return 0
    }
  }
  const [health, ready] = await Promise.all([asked('/health'), asked('/ready')])
  const refused = await whatIsRefused(origin)
  if (refused !== undefined) return warn(refused, 'Make room on that disk; nothing has to be started again.')
  if (health === 200 && ready === 200) return ok(`${origin} is healthy and ready`)
  if (health === 0) return fail(`${origin} does not answer`, `Look at ${config.data}/logs/hub.log`)
  return fail(`${origin}: /health ${health}, /ready ${ready}`, `Look at ${config.data}/logs/hub.log`)
}

async function workers(config: Config, output: Output, running: UpFile | undefined): Promise<Verdict> {
  if (config.hub === null && running === undefined) return skip('not running')
  const { items } = await (await connect(config, output)).call('listWorkers', {})
  const connected = items.filter((worker) => worker.connected)
  const able = connected.filter((worker) => worker.walls.some((wall) => wall.ok))
  if (able.length > 0) return ok(`${able.length} of ${items.length} connected with a working wall`)
  const fix = connected.flatMap((worker) => worker.walls).find((wall) => wall.fix !== undefined)?.fix
  return fail(
    connected.length === 0 ? 'none is connected' : 'no connected worker has a working wall',
    fix ?? `Look at ${config.data}/logs/worker.log`,
  )
}

async function ollama(config: Config): Promise<Verdict> {
  const models = await findModels(config.ollamaUrl)
  if ('unreachable' in models) return skip(`${models.unreachable} at ${models.url}`)
  return ok(`${models.names.length} models at ${models.url}`)
}

async function models(config: Config, output: Output, running: UpFile | undefined): Promise<Verdict> {
  if (config.hub === null && running === undefined) return skip('not running')
  const { items, endpoints, missing } = await (await connect(config, output)).call('listModels', {})
  const problems = [
    ...endpoints.flatMap((each) => (each.source === 'settings' ? [] : (endpointWords(each) ?? []))),
    ...missing.map(({ name, wantedBy }) => `${name} is missing, wanted by ${wantedBy}.`),
  ]
  if (problems.length > 0) return warn(problems.join(' '), missing[0]?.command ?? 'npx muster model list')
  const usable = items.filter((model) => model.unfit === null)
  if (usable.length > 0) return ok(`${usable.length} of ${items.length} can be given to tasks`)
  return skip('none; tasks with a prompt wait for one (npx muster model list)')
}

/** Ollama has no password: whoever reaches it may use it and delete its models. */
async function exposed(config: Config): Promise<Verdict> {
  const url = new URL(config.ollamaUrl)
  if (!isLoopback(url.hostname)) return skip(`${url.hostname} is another machine`)
  const { networkInterfaces } = await import('node:os')
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && address.family === 'IPv4')
  for (const { address } of outside) {
    const models = await findModels(`http://${address}:${url.port || 11_434}`)
    if ('names' in models) {
      return warn(
        `everybody who reaches ${address} can use it`,
        'Start it with OLLAMA_HOST=127.0.0.1 ollama serve',
      )
    }
  }
  return ok('not reachable from outside this machine')
}
