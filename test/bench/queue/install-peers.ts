import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const here = import.meta.dirname

/**
 * The other queues are no part of Muster: they have their own locked packages in this folder, which nothing else reads.
 * Answers why they cannot be measured, or undefined when they are there.
 */
export async function installPeers(): Promise<string | undefined> {
  if (existsSync(join(here, 'node_modules/.package-lock.json'))) return undefined
  process.stderr.write('installing the queues to compare with (npm ci in test/bench/queue) …\n')
  try {
    await promisify(execFile)(
      'npm',
      ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        cwd: here,
        timeout: 120_000,
      },
    )
    return undefined
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n')[0]
    return said === undefined || said === '' ? String(error) : said
  }
}
