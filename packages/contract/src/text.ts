import { z } from 'zod'

// Limits of VAL-02 in the requirements; lengths are counted in UTF-16 units, as JavaScript counts them.

/** One line that a person reads: no control characters, so that a log or a terminal cannot be forged with it. */
export function line(max: number) {
  return (
    z
      .string()
      .trim()
      .min(1)
      .max(max)
      // eslint-disable-next-line no-control-regex -- refusing control characters is the point
      .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, 'must be one line without control characters')
  )
}

/** Several lines; only NUL is refused, because PostgreSQL cannot store it. */
export function text(max: number) {
  return z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'must not contain NUL')
}

/** A short name that is also safe in a branch, a path segment and a command line. */
export const slugName = slug(z.string())

/** A capability, whichever way its worker spells it: `" GPU"` and `gpu` are one (AFSM-04). */
export const capability = slug(z.string().trim().toLowerCase())

function slug(name: z.ZodString) {
  return name
    .max(64)
    .regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be lower-case letters, digits, dot, dash or underscore')
    .refine(
      (value) => !value.includes('..') && !value.endsWith('.') && !value.endsWith('.lock'),
      'must be a safe name',
    )
}

export const id = z.uuid()
export const timestamp = z.iso.datetime({ offset: true })
export const commitId = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
