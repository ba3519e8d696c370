import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../failure.ts'
import { files } from './project.ts'

const run = promisify(execFile)

/** A git repository with the project of the demonstration, in a new folder of `parent`. */
export async function makeRepo(parent: string): Promise<string> {
  const path = await mkdtemp(join(parent, 'muster-demo-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    await writeFile(join(path, name), text)
  }
  const who = ['-c', 'user.name=Muster demo', '-c', 'user.email=demo@muster.invalid']
  try {
    await run('git', ['-C', path, 'init', '--quiet', '--initial-branch=main'])
    await run('git', ['-C', path, 'add', '--all'])
    await run('git', ['-C', path, ...who, 'commit', '--quiet', '--message', 'A total that is wrong'])
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure(
      'demo_failed',
      `git could not make the repository: ${why}`,
      'Install git 2.28 or newer.',
    )
  }
  return path
}
