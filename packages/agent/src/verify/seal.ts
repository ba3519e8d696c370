import { git, exec, OverlayError, type InWall } from './overlay.ts'

/**
 * Checks share one workspace, since a build is often one of them, and the first that runs the task's program lets it
 * write there: it could rewrite the tests that the next check runs. So the files that define the proof are hashed when
 * they are in place, and before a later command they are put back if they are not what they were.
 *
 * The repository in the workspace is the program's to write as well; that it gave back the right files is what the
 * hashes say. `/usr` is read-only in a wall, so the program that counts them is ours.
 */
export async function sealProof(input: InWall, paths: readonly string[]) {
  const list = paths.map((path) => `${path}\0`).join('')
  const hash = async () => {
    const hashed = await exec(input, ['/bin/sh', '-c', 'xargs -0 sha256sum -- | sha256sum'], list)
    return hashed.ended === 'exited' && hashed.code === 0 && hashed.stderr === '' ? hashed.stdout : undefined
  }
  if (paths.length === 0) return async () => {}
  const head = await exec(input, ['git', 'rev-parse', 'HEAD'])
  const sealed = await hash()
  if (sealed === undefined) throw new OverlayError('The files that define the proof could not be read.', '')

  return async function putBack(): Promise<void> {
    if ((await hash()) === sealed) return
    const fromStdin = ['--pathspec-from-file=-', '--pathspec-file-nul']
    await git(input, ['checkout', '--quiet', head.stdout.trim(), ...fromStdin], list)
    if ((await hash()) === sealed) return
    throw new OverlayError(
      'An earlier check changed files that define the proof; they could not be put back.',
      '',
    )
  }
}
