import type { ServerResponse } from 'node:http'
import type { LiveMessage } from '@muster/contract/live'
import type { WebSocket } from 'ws'

export function page<T>(items: T[]): { items: T[]; nextCursor: null } {
  return { items, nextCursor: null }
}

export function send(client: WebSocket, message: LiveMessage): void {
  client.send(JSON.stringify(message))
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
