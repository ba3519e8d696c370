import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { deflateSync } from 'node:zlib'

const objects = '/workspace/.git/objects'
const who = 'Muster <checkpoint@muster.invalid>'

/** A commit as git keeps it, and its name. Asking git for it would be one more process at each step of a run. */
export function writeCommit(tree: string, parent: string, seconds: number): string {
  const stamp = `${who} ${seconds} +0000`
  const text = `tree ${tree}\nparent ${parent}\nauthor ${stamp}\ncommitter ${stamp}\n\nCheckpoint\n`
  const object = Buffer.from(`commit ${Buffer.byteLength(text)}\0${text}`)
  const name = createHash('sha1').update(object).digest('hex')
  const folder = `${objects}/${name.slice(0, 2)}`
  const path = `${folder}/${name.slice(2)}`
  if (existsSync(path)) return name
  mkdirSync(folder, { recursive: true })
  const temporary = `${folder}/tmp_obj_${randomBytes(6).toString('hex')}`
  writeFileSync(temporary, deflateSync(object), { mode: 0o444, flag: 'wx' })
  renameSync(temporary, path)
  return name
}
