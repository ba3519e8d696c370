import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { GitError } from './git-error.ts'

export type BundleHeader = { tips: { oid: string; ref: string }[]; packOffset: number; bytes: number }

/** One line per prerequisite: 64 KiB is several hundred merged-in commits, and a bundle of one run has one or two. */
const headerLimitBytes = 64 * 1024

/** Reads the head of a bundle by ourselves, so that git gets nothing but the pack behind it. */
export async function readBundleHeader(path: string, limitBytes: number): Promise<BundleHeader> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const found = await file.stat()
    if (!found.isFile()) throw refuseBundle('it is not a regular file')
    if (found.size > limitBytes) throw refuseBundle(`it is larger than ${limitBytes} bytes`)
    const head = Buffer.alloc(Math.min(headerLimitBytes, found.size))
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    return { ...parseBundleHeader(head.subarray(0, bytesRead)), bytes: found.size }
  } finally {
    await file.close()
  }
}

export function parseBundleHeader(head: Buffer): Omit<BundleHeader, 'bytes'> {
  const end = head.indexOf('\n\n')
  if (end < 0) throw refuseBundle('it has no header')
  const [magic, ...lines] = head.subarray(0, end).toString('utf8').split('\n')
  if (magic !== '# v2 git bundle') throw refuseBundle('it is not a bundle of version 2')
  const tips: BundleHeader['tips'] = []
  for (const line of lines) {
    if (/^-[0-9a-f]{40}( |$)/.test(line)) continue
    const [, oid, ref] = /^([0-9a-f]{40}) (\S+)$/.exec(line) ?? []
    if (oid === undefined || ref === undefined) throw refuseBundle('its header cannot be read')
    tips.push({ oid, ref })
  }
  return { tips, packOffset: end + 2 }
}

export function refuseBundle(why: string, stderr = ''): GitError {
  return new GitError('take_in_refused', `The result that came out of the wall is refused: ${why}.`, {
    stderr,
  })
}
