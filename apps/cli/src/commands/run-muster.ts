import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const main = fileURLToPath(new URL('../main.ts', import.meta.url))

export type Result = { code: number; out: string; err: string }

/** Nothing of who runs the tests, and a hub and a token that were chosen here. */
export function environment(
  { data, hub, path = '' }: { data: string; hub: string; path?: string | undefined },
  changes: Record<string, string> = {},
): Record<string, string> {
  return {
    PATH: path,
    HOME: data,
    MUSTER_DATA: data,
    MUSTER_HUB: hub,
    MUSTER_TOKEN: 'secret',
    ...changes,
  }
}

/** The command as a process of its own, as a shell starts it. */
export async function runMuster(words: string[], env: Record<string, string>): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...words], { env, timeout: 20_000 }, (_, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err })
    })
  })
}
