import { createServer } from 'node:net'
import { Failure } from '../failure.ts'

/** Asked before anything is started: the hub would find out as well, but only after the database is up. */
export async function requireFreePort(host: string, port: number): Promise<void> {
  const code = await whyNotFree(host, port)
  if (code === undefined) return
  const next = `MUSTER_PORT=${port < 65_000 ? port + 100 : 4_600} npm start`
  if (code === 'EADDRINUSE') {
    throw new Failure(
      'port_taken',
      `Port ${port} on ${host} is in use by another program.`,
      `Choose another with MUSTER_PORT, for example: ${next}`,
    )
  }
  throw new Failure(
    'port_refused',
    `This machine does not let us listen on ${host} port ${port} (${code}).`,
    `Choose another with MUSTER_PORT, for example: ${next}`,
    1,
  )
}

export async function whyNotFree(host: string, port: number): Promise<string | undefined> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
