import { z } from 'zod'

/** What an agent says about itself; one line, so that a terminal or a log cannot be forged with it. */
export const statusText = z
  .string()
  .trim()
  .max(256)
  // eslint-disable-next-line no-control-regex -- refusing control characters is the point
  .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, 'must be one line without control characters')
