import { openTestCluster, testDatabaseVariable } from './test-cluster.ts'

/**
 * Opens the run's server before the first test and stops it after the last. The URL travels in the environment, which
 * vitest hands to its workers; a second project of the same run finds it set and shares the server.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[testDatabaseVariable]) return undefined
  const cluster = await openTestCluster()
  process.env[testDatabaseVariable] = cluster.url
  return async () => {
    delete process.env[testDatabaseVariable]
    await cluster.stop()
  }
}
