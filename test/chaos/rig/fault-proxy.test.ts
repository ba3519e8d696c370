import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startFaultProxy } from './fault-proxy.ts'

/** A server that says back what it hears, a proxy before it, and a client of the proxy with what it has heard. */
async function echo() {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const proxy = await startFaultProxy({
    listen: { host: '127.0.0.1', port: 0 },
    connect: () => connect(port, '127.0.0.1'),
  })
  onTestFinished(() => {
    proxy.close()
    server.close()
  })
  const client: Socket = connect(proxy.port, '127.0.0.1')
  const heard: string[] = []
  const end = { how: '' }
  client.on('data', (piece) => heard.push(String(piece)))
  client.on('error', (error: Error & { code?: string }) => (end.how = error.code ?? 'error'))
  client.on('end', () => (end.how = 'end'))
  await once(client, 'connect')
  const said = async (text: string, waitMs: number) => {
    client.write(text)
    await sleep(waitMs)
    return heard.splice(0).join('')
  }
  return { proxy, client, said, end }
}

test('without an order everything passes', async () => {
  const { proxy, said } = await echo()
  expect(await said('hello', 100)).toBe('hello')
  expect(proxy.touched()).toBe(0)
})

test('a link with latency is as slow as ordered, and keeps the order', async () => {
  const { proxy, client, said } = await echo()
  proxy.setLatency(150, 150)
  client.write('a')
  expect(await said('b', 200)).toBe('')
  expect(await said('c', 400)).toBe('abc')
  expect(proxy.touched()).toBeGreaterThan(0)
})

test('a half-open link takes everything and says nothing, and is reset at its end', async () => {
  const { proxy, said, end } = await echo()
  const heal = proxy.swallow()
  expect(await said('lost', 100)).toBe('')
  expect(end.how).toBe('')
  heal()
  await sleep(100)
  expect(end.how).toBe('ECONNRESET')
})

test.each([
  ['end', 'end'],
  ['reset', 'ECONNRESET'],
] as const)('a link that is cut by %s after four bytes lets four bytes through', async (how, seen) => {
  const { proxy, client, said, end } = await echo()
  expect(await said('x', 50)).toBe('x')
  const arrived: string[] = []
  client.on('data', (piece) => arrived.push(String(piece)))
  proxy.cutAfter({ way: 'down', bytes: 4, how })
  await said('abcdefgh', 150)
  // A reset may overtake what was sent before it, but never lets more through.
  expect(how === 'end' ? ['abcd'] : ['abcd', '']).toContain(arrived.join(''))
  expect(end.how).toBe(seen)
})

test('a link that refuses resets who connects', async () => {
  const { proxy } = await echo()
  proxy.refuse(true)
  const late = connect(proxy.port, '127.0.0.1')
  const [error] = (await once(late, 'error')) as [Error & { code?: string }]
  expect(error.code).toBe('ECONNRESET')
})
