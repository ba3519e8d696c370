import type { WebSocket } from 'ws'

// A worker asks and waits, so this many means that it sends faster than the database takes. From there on its socket is
// not read, the kernel's buffers fill, and it waits too; otherwise one client could fill the memory of the hub.
const mostWaiting = 64

/**
 * What a socket sends, worked through in order: what names a lane behind the earlier of its lane, so that the tasks of a
 * worker do not wait for each other; everything else behind all that came before it and before all that comes after.
 */
export function createInbox(socket: Pick<WebSocket, 'pause' | 'resume'>, onError: (error: unknown) => void) {
  let waiting = 0
  let isPaused = false
  let common: Promise<unknown> = Promise.resolve()
  /** The last of each lane, if it came after the last one of all. */
  const lanes = new Map<string, Promise<void>>()

  const begin = () => {
    waiting += 1
    if (waiting < mostWaiting || isPaused) return
    isPaused = true
    socket.pause()
  }
  const end = () => {
    waiting -= 1
    if (!isPaused || waiting > mostWaiting / 2) return
    isPaused = false
    socket.resume()
  }
  const follow = (earlier: Promise<unknown>, work: () => Promise<void> | void) =>
    earlier.then(work).catch(onError).then(end)

  return {
    /** Nothing of this client is heard meanwhile, no pong either. */
    isPaused: () => isPaused,
    put(work: () => Promise<void> | void, lane?: string): void {
      begin()
      if (lane === undefined) {
        common = follow(Promise.all([common, ...lanes.values()]), work)
        lanes.clear()
        return
      }
      const last = follow(lanes.get(lane) ?? common, work)
      lanes.set(lane, last)
      void last.then(() => lanes.get(lane) === last && lanes.delete(lane))
    },
  }
}
