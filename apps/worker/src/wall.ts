import { defaultLimits, type Sandbox, type SandboxDriver } from '@muster/sandbox/sandbox'

/** A wall for one stage of a run. Nothing of the worker's environment is in it. */
export function openWall(driver: SandboxDriver, wall: { id: string; workspace: string }): Promise<Sandbox> {
  return driver.create({ ...wall, limits: defaultLimits, network: { kind: 'none' }, env: {} })
}
