import type { Reply } from './tool-server.ts'

/**
 * What the workspace held at one moment. The commit stands on the agent's HEAD (who restores it moves back to its parent
 * and keeps the files), as `refs/muster/checkpoint` of the bundle, which needs the base. It comes from the wall: what
 * takes it in checks it as it would check a result.
 */
export type Checkpoint = {
  /** False: nothing is different since the last one. */
  changed: boolean
  commit: string | null
  /** Base64. Null when nothing changed, when it is too large, or when it failed. */
  bundle: string | null
  tooLarge: boolean
  /** Why there is none. The run can go on without. */
  error?: string
}

/** 3 MB: what goes over the link to the hub after each step. */
export const maxCheckpointBytes = 3 * 1024 * 1024

export type ReadCheckpoint = Checkpoint & { state: string | undefined }

export function readCheckpoint(reply: Reply): ReadCheckpoint {
  if (reply.kind === 'lost') return failed(`the tools ended meanwhile: ${reply.why}`)
  const { success, error, fields } = reply.answer
  if (!success) return failed(error ?? 'it was refused')
  const { changed, commit, bundle, state, too_large: tooLarge = false } = fields
  if (typeof state !== 'string' || !/^[0-9a-f]{40} [0-9a-f]{40}$/.test(state))
    return failed('the answer is not readable')
  if (changed === false) return { changed, commit: null, bundle: null, tooLarge: false, state }
  const isCommit = typeof commit === 'string' && /^[0-9a-f]{40}$/.test(commit)
  if (changed !== true || !isCommit || typeof tooLarge !== 'boolean')
    return failed('the answer is not readable')
  if (tooLarge) return { changed, commit, bundle: null, tooLarge, state }
  if (typeof bundle !== 'string' || bundle.length > maxCheckpointBytes * 1.4 || !/^[\w+/]+=*$/.test(bundle)) {
    return failed('the answer is not readable')
  }
  return { changed, commit, bundle, tooLarge, state }
}

function failed(error: string): ReadCheckpoint {
  return {
    changed: true,
    commit: null,
    bundle: null,
    tooLarge: false,
    error: error.slice(0, 500),
    state: undefined,
  }
}
