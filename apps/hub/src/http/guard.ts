import type { FastifyRequest } from 'fastify'
import { MusterError } from '../kernel/errors.ts'

/**
 * Host and Origin rules (a page of another site, or a name that was rebound to 127.0.0.1, may not drive this hub):
 * the Host must be an address this hub listens on; an Origin, when there is one, must be the hub's own; and a cookie
 * counts for a change only with such an Origin, which browsers always send with one.
 */
export function createGuard(own: () => { port: number }) {
  const names = ['127.0.0.1', 'localhost', '[::1]']
  const hosts = () => names.map((name) => `${name}:${own().port}`)

  return {
    checkHost(request: FastifyRequest): void {
      const host = request.headers.host ?? ''
      if (!hosts().includes(host.toLowerCase())) {
        throw new MusterError('host_refused', `This hub does not answer to the host "${host.slice(0, 100)}".`)
      }
    },

    checkOrigin(request: FastifyRequest, options: { byCookie: boolean; changes: boolean }): void {
      const { origin } = request.headers
      const isOwn = origin !== undefined && hosts().some((host) => origin === `http://${host}`)
      if (origin !== undefined && !isOwn) {
        throw new MusterError('origin_refused', `Requests from ${origin.slice(0, 100)} are not accepted.`)
      }
      if (options.byCookie && options.changes && !isOwn) {
        throw new MusterError('origin_refused', 'A request by cookie must come from a page of this hub.')
      }
    },
  }
}

export type Guard = ReturnType<typeof createGuard>
