import type { WallStatus } from '@muster/contract/workers'
import type { SandboxDriver } from '@muster/sandbox/sandbox'

// Bubblewrap may be installed while the worker runs; then waiting tasks start without a restart.
const probeAgainMs = 30_000

/** Which walls this machine can give, by really starting one; tried again while one cannot, and when asked. */
export async function watchWalls(driver: SandboxDriver, onChange: (walls: WallStatus[]) => void) {
  const probe = async (): Promise<WallStatus[]> => [{ kind: driver.kind, ...(await driver.probe()) }]
  let walls = await probe()
  const recheck = async () => {
    const now = await probe()
    const isSame = now.every((wall, at) => wall.ok === walls[at]?.ok)
    walls = now
    if (!isSame) onChange(now)
  }
  const timer = setInterval(() => {
    if (!walls.every((wall) => wall.ok)) void recheck()
  }, probeAgainMs)
  return { current: () => walls, recheck, stop: () => clearInterval(timer) }
}
