/** What a tool refuses, with a code that stays the same and words that let a model do it right the next time. */
export class Refusal extends Error {
  readonly code: string
  readonly fields: Record<string, unknown>

  constructor(code: string, message: string, fields: Record<string, unknown> = {}) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.fields = fields
  }
}

const known: Readonly<Record<string, [code: string, said: string]>> = {
  ENOENT: ['NOT_FOUND', 'There is no file or folder'],
  ENOTDIR: ['NOT_A_DIRECTORY', 'A part of this path is a file, not a folder:'],
  EISDIR: ['IS_DIRECTORY', 'This is a folder, not a file:'],
  EACCES: ['ACCESS_DENIED', 'The permissions do not allow this:'],
  EPERM: ['ACCESS_DENIED', 'The permissions do not allow this:'],
  EROFS: ['ACCESS_DENIED', 'This place is read-only:'],
  ELOOP: ['SYMLINK_LOOP', 'Symbolic links lead in a circle, or one was put here meanwhile:'],
  ENAMETOOLONG: ['INVALID_PATH', 'The path is too long:'],
  ENOSPC: ['DISK_FULL', 'There is no room left for'],
  EDQUOT: ['DISK_FULL', 'There is no room left for'],
  // Of a readlink and a mkdir: something else has the name by now.
  EINVAL: ['PATH_CHANGED', 'It changed while it was looked at:'],
  EEXIST: ['PATH_CHANGED', 'It changed while it was looked at:'],
  EFBIG: ['DISK_FULL', 'The file would be larger than files may be here:'],
}

/** An error of the file system in the words of the request; anything else as it is. */
export function asRefusal(error: unknown, path: string): unknown {
  const entry = known[(error as NodeJS.ErrnoException).code ?? '']
  return entry === undefined ? error : new Refusal(entry[0], `${entry[1]} ${path}`)
}
