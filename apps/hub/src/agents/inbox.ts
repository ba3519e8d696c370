import type { WebSocket } from 'ws'

// A worker asks and waits, so this many means that it sends faster than the database takes. From there on its socket is
// not read, the kernel's buffers fill, and it waits too; otherwise one client could fill the memory of the hub.
const mostWaiting = 64

/** What a socket sends, worked through one after the other and in order. */
export function createInbox(socket: Pick<WebSocket, 'pause' | 'resume'>, onError: (error: unknown) => void) {
  let waiting = 0
  let isPaused = false
  let last = Promise.resolve()
  return {
    /** Nothing of this client is heard meanwhile, no pong either. */
    isPaused: () => isPaused,
    put(work: () => Promise<void> | void): void {
      waiting += 1
      if (waiting >= mostWaiting && !isPaused) {
        isPaused = true
        socket.pause()
      }
      last = last
        .then(work)
        .catch(onError)
        .then(() => {
          waiting -= 1
          if (!isPaused || waiting > mostWaiting / 2) return
          isPaused = false
          socket.resume()
        })
    },
  }
}
