import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'

// What a round sets as the usual latency of a network is no fault.
const noticedMs = 100

type Way = 'up' | 'down'

/** Sees what passes in order; may take a piece away from the stream and give it back later through `pass`. */
export type Tap = { piece(way: Way, piece: Buffer, pass: (piece: Buffer) => void): void; closed(): void }

/**
 * A TCP (or Unix socket) forwarder that misbehaves on order: latency, connections reset, swallowed (half-open: open and
 * silent), or cut after some bytes, in the middle of a message if that is where they end. Without an order it passes
 * everything on at once and in order.
 */
export async function startFaultProxy(options: {
  listen: { path: string } | { host: string; port: number }
  connect: () => Socket
  tap?: (reset: () => void) => Tap
}) {
  const pairs = new Set<ReturnType<typeof join>>()
  const latency = { up: 0, down: 0 }
  let isRefusing = false
  let touched = 0
  let isSwallowing = false
  let cutting: { way: Way; bytes: number; how: 'reset' | 'end'; left: number } | undefined

  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (isRefusing) {
      touched += 1
      return destroy(near.on('error', () => {}))
    }
    const pair = join(near, options.connect())
    pairs.add(pair)
    pair.closed.then(() => pairs.delete(pair)).catch(() => {})
  })

  function join(near: Socket, far: Socket) {
    const reset = () => {
      for (const socket of [near, far]) if (!socket.destroyed) destroy(socket)
    }
    const tap = options.tap?.(reset)
    carry('up', near, far)
    carry('down', far, near)
    const closed = new Promise<void>((resolve) => {
      let left = 2
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        socket.setNoDelay(true)
        socket.on('error', () => destroy(other))
        socket.on('close', () => {
          // What is under way to the other side may still arrive there.
          if (!isSwallowing) setTimeout(() => other.destroy(), latency.up + latency.down + 10)
          if (--left === 0) resolve()
        })
      }
    })
    void closed.then(() => tap?.closed())
    return { closed, reset }

    function carry(way: Way, from: Socket, to: Socket): void {
      let lastDue = 0
      const pass = (piece: Buffer) => {
        if (isSwallowing) touched += 1
        if (isSwallowing || to.destroyed) return
        if (cutting?.way === way && (cutting.left -= piece.length) <= 0) return cut(piece, cutting)
        if (!to.write(piece)) {
          from.pause()
          to.once('drain', () => from.resume())
        }
      }
      const cut = (piece: Buffer, order: { bytes: number; how: 'reset' | 'end'; left: number }) => {
        to.write(piece.subarray(0, piece.length + order.left))
        order.left = order.bytes
        touched += 1
        if (order.how === 'reset') return reset()
        to.end()
        from.destroy()
      }
      const later = (work: () => void) => {
        const due = Math.max(performance.now() + latency[way], lastDue)
        if (latency[way] === 0 && lastDue <= performance.now()) return work()
        lastDue = due
        if (latency[way] >= noticedMs) touched += 1
        setTimeout(work, due - performance.now())
      }
      from.on('data', (piece: Buffer) =>
        later(() => (tap === undefined ? pass(piece) : tap.piece(way, piece, pass))),
      )
      from.on('end', () => {
        if (!isSwallowing) later(() => to.end())
      })
    }
  }

  if ('path' in options.listen) rmSync(options.listen.path, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.listen, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    /** How many pieces and connections have felt an order so far. */
    touched: () => touched,
    setLatency: (up: number, down: number) => void Object.assign(latency, { up, down }),
    /** Every open connection, at once and without a word in order. */
    reset() {
      touched += pairs.size
      for (const pair of pairs) pair.reset()
    },
    /** Connections stay open and nothing passes; new ones are taken and hear nothing. Ends with a reset. */
    swallow() {
      isSwallowing = true
      return () => {
        isSwallowing = false
        for (const pair of pairs) pair.reset()
      }
    },
    refuse(on: boolean) {
      isRefusing = on
    },
    /** Each time so many bytes have passed from now on, the connection that carries the last of them is cut there. */
    cutAfter(order: { way: Way; bytes: number; how: 'reset' | 'end' } | undefined) {
      cutting = order === undefined ? undefined : { ...order, left: order.bytes }
    },
    close() {
      server.close()
      for (const pair of pairs) pair.reset()
    },
  }
}

/** RST where the socket is a TCP one; a Unix socket knows no such thing and is just closed. */
function destroy(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy()
  else socket.resetAndDestroy()
}
