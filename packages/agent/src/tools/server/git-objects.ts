import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'

export type GitObject = { type: 'commit' | 'tree' | 'blob'; body: Buffer }

/** The name of an object: SHA-1 over its kind, its length and its bytes. */
export function nameOf({ type, body }: GitObject): string {
  return createHash('sha1').update(`${type} ${body.length}\0`).update(body).digest('hex')
}

const who = 'Muster <checkpoint@muster.invalid>'

export function commitObject(tree: string, parent: string, seconds: number): GitObject {
  const stamp = `${who} ${seconds} +0000`
  const text = `tree ${tree}\nparent ${parent}\nauthor ${stamp}\ncommitter ${stamp}\n\nCheckpoint\n`
  return { type: 'commit', body: Buffer.from(text) }
}

const typeNumber = { commit: 1, tree: 2, blob: 3 }

/** Whole objects, none as a difference to another (gitformat-pack, version 2). */
export function packOf(objects: readonly GitObject[]): Buffer {
  const header = Buffer.alloc(12)
  header.write('PACK')
  header.writeUInt32BE(2, 4)
  header.writeUInt32BE(objects.length, 8)
  const pieces: Buffer[] = [header]
  for (const object of objects) pieces.push(entryHeader(object), deflateSync(object.body))
  const pack = Buffer.concat(pieces)
  return Buffer.concat([pack, createHash('sha1').update(pack).digest()])
}

/** Kind and length, seven bits of the length in each byte, the lowest first, but four in the first byte. */
function entryHeader({ type, body }: GitObject): Buffer {
  const bytes = []
  let byte = (typeNumber[type] << 4) | (body.length & 15)
  for (let rest = Math.floor(body.length / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 128)
    byte = rest & 127
  }
  bytes.push(byte)
  return Buffer.from(bytes)
}
