import { execFile } from 'node:child_process'

export type Outcome = { code: number | null; output: string }

/** Code null: the program is not there, or did not end in time. */
export async function runProgram(
  program: string,
  args: string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: 3_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      resolve({ code, output: `${stdout}${stderr}`.trim() })
    })
  })
}
