import type { EndpointKind } from '@muster/contract/models'
import { MusterError } from '../kernel/errors.ts'

/**
 * The address of an endpoint in the one form in which it is stored, so that the same place cannot be registered twice:
 * an Ollama at its root, the others with their `/v1`. Throws what is wrong with any other.
 */
export function readAddress(kind: EndpointKind, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw refused(text, 'is not a URL such as http://box-2:11434')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refused(bare(url), `begins with ${url.protocol}//; only http and https are spoken to models`)
  }
  if (url.username !== '' || url.password !== '') {
    throw refused(bare(url), 'has credentials in it; keys are settings of the hub and are never stored')
  }
  if (url.search !== '' || url.hash !== '') throw refused(bare(url), 'has a query or a fragment')
  // Machines of clouds hand out their own credentials there to whoever asks.
  if (/^169\.254\.|^\[fe80:|^\[::ffff:a9fe:/.test(url.hostname)) {
    throw refused(bare(url), 'is a link-local address, where no model is served')
  }
  const path = url.pathname.replace(/\/+$/, '').replace(kind === 'ollama' ? /\/(v1|api)$/ : /\/v1$/, '')
  return `${url.origin}${path}${kind === 'ollama' ? '' : '/v1'}`
}

/** Whether an address is outside the networks that people have for themselves. */
export function isCloud(url: string): boolean {
  return !isOwn(new URL(url).hostname)
}

/** Whether it means another machine to whoever reads it on another machine. */
export function isLoopback(url: string): boolean {
  const host = new URL(url).hostname
  return (
    host === 'localhost' || host.endsWith('.localhost') || /^127\.|^\[::1\]$|^0\.0\.0\.0$|^\[::\]$/.test(host)
  )
}

const privateV4 =
  /^(10\.|127\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|0\.0\.0\.0$)/
const privateV6 = /^\[(::1?\]|f[cd])/
const privateName = /\.(localhost|local|lan|internal|home\.arpa|intranet)$/

function isOwn(host: string): boolean {
  if (host.startsWith('[')) return privateV6.test(host)
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return privateV4.test(host)
  // A name without a dot is one of the own network, or of a container beside us.
  return !host.includes('.') || privateName.test(host)
}

function refused(shown: string, why: string): MusterError {
  return new MusterError('endpoint_url_refused', `${shown} ${why}.`)
}

/** Without what might be a secret: it goes into an answer and a log. */
function bare(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`
}
