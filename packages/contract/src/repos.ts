import { z } from 'zod'
import { id, line, slugName, timestamp } from './text.ts'

export const repoCreate = z.strictObject({
  name: slugName,
  /** An absolute path on the machine of the workers, or a file, https or ssh URL. */
  url: line(512),
})

export const repo = z.object({
  id,
  name: z.string(),
  url: z.string(),
  /** Only tasks of active repositories are assigned. */
  active: z.boolean(),
  createdAt: timestamp,
})
export type Repo = z.infer<typeof repo>
