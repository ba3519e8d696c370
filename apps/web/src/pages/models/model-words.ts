import type { Endpoint } from '@muster/contract/models'
import type { Tone } from '../../components/state-words.ts'
import type { IconName } from '../../ui/Icon.tsx'

/** How an endpoint stands, as one word: what keeps tasks from it comes before how it answers. */
export function healthOf(endpoint: Endpoint): { word: string; tone: Tone; icon: IconName } {
  if (endpoint.health === 'unhealthy') return { word: 'Unhealthy', tone: 'bad', icon: 'cross' }
  if (endpoint.health === 'unknown') return { word: 'Not known yet', tone: 'warn', icon: 'warning' }
  if (endpoint.pausedUntil !== null) return { word: 'Paused', tone: 'warn', icon: 'pause' }
  return { word: 'Healthy', tone: 'ok', icon: 'check' }
}

/** Who named it, as the end of a sentence. */
export function sourceText({ source, worker }: Endpoint): string {
  if (source === 'worker') return `announced by ${worker ?? 'a worker'}`
  return source === 'settings' ? 'from the settings of the hub' : 'added by hand'
}
