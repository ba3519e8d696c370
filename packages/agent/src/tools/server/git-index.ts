import type { Entry } from './git-trees.ts'

/** More is left to git: each step reads the whole list. */
const mostEntries = 20_000
const fixedBytes = 62

/**
 * The entries of an index of git (gitformat-index, versions 2 and 3); null for one that means more than its entries say: a
 * conflict, an entry that is only intended, a sparse or a split index, another version.
 */
export function readIndex(bytes: Buffer): Entry[] | null {
  if (bytes.length < 32 || bytes.toString('latin1', 0, 4) !== 'DIRC') return null
  const version = bytes.readUInt32BE(4)
  const count = bytes.readUInt32BE(8)
  if ((version !== 2 && version !== 3) || count > mostEntries) return null
  const end = bytes.length - 20
  const entries: Entry[] = []
  let at = 12
  for (let index = 0; index < count; index += 1) {
    if (at + fixedBytes > end) return null
    const flags = bytes.readUInt16BE(at + 60)
    const isMore = (flags & 0x4000) !== 0
    const stage = (flags >> 12) & 3
    const nul = bytes.indexOf(0, at + fixedBytes)
    if (isMore || stage !== 0 || nul === -1 || nul >= end) return null
    entries.push({
      path: bytes.toString('latin1', at + fixedBytes, nul),
      mode: bytes.readUInt32BE(at + 24).toString(8),
      id: bytes.toString('hex', at + 40, at + 60),
    })
    // At least one zero, up to a multiple of eight.
    at += Math.floor((nul - at) / 8) * 8 + 8
  }
  return hasOnlyHints(bytes.subarray(at, end)) ? entries : null
}

/** An extension whose name begins with a small letter cannot be left out of account. */
function hasOnlyHints(extensions: Buffer): boolean {
  let at = 0
  while (at + 8 <= extensions.length) {
    const first = extensions[at] ?? 0
    if (first < 65 || first > 90) return false
    at += 8 + extensions.readUInt32BE(at + 4)
  }
  return at === extensions.length
}
