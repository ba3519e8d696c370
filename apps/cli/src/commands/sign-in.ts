import type { Command } from '../context.ts'

export const signIn: Command<object> = async ({ output, ...context }) => {
  const hub = await context.hub()
  const link = await hub.call('createSignInLink', { body: {} })
  if (output.json) output.document(link)
  else {
    output.line(link.url)
    output.note(`Open it before ${link.expiresAt}; it works once.`)
  }
  return 0
}
