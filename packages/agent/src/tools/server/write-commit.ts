import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { deflateSync } from 'node:zlib'
import { commitObject, nameOf } from './git-objects.ts'

const objects = '/workspace/.git/objects'

/** A commit as git keeps it, where git finds it, and its name. Asking git for it would be one more process. */
export function writeCommit(tree: string, parent: string, seconds: number): string {
  const object = commitObject(tree, parent, seconds)
  const name = nameOf(object)
  const folder = `${objects}/${name.slice(0, 2)}`
  const path = `${folder}/${name.slice(2)}`
  if (existsSync(path)) return name
  mkdirSync(folder, { recursive: true })
  const temporary = `${folder}/tmp_obj_${randomBytes(6).toString('hex')}`
  const whole = Buffer.concat([Buffer.from(`commit ${object.body.length}\0`), object.body])
  writeFileSync(temporary, deflateSync(whole), { mode: 0o444, flag: 'wx' })
  renameSync(temporary, path)
  return name
}
