import { arch, availableParallelism, hostname, platform } from 'node:os'
import manifest from '../package.json' with { type: 'json' }
import type { Config } from './config.ts'
import { instanceOf } from './places.ts'

/** What does not change while the worker runs. */
export async function identityOf(config: Config) {
  return {
    instance: await instanceOf(config.dataDir),
    client: `muster-worker/${manifest.version}`,
    version: manifest.version,
    host: `${hostname()} (${platform()} ${arch()}, ${availableParallelism()} cores)`,
    slots: config.slots,
    capabilities: config.capabilities,
  }
}
