import type { ModelMessage } from '../model.ts'
import type { WrittenCall } from './block.ts'

/**
 * Whether a user or a tool wrote this call before, word for word. A page, a file or an issue may contain a call and ask to
 * have it repeated; a model that repeats it quotes. What the system says does not count: its example is ours.
 */
export function isEcho(call: WrittenCall, messages: ModelMessage[]): boolean {
  const words = squeeze(call.raw)
  return messages.some((message) => isForeign(message) && squeeze(message.text).includes(words))
}

const isForeign = ({ role }: ModelMessage): boolean => role === 'user' || role === 'tool'

/** Without what changes on the way through JSON, HTML and line breaks: blanks, backslashes, escapes of characters. */
function squeeze(text: string): string {
  return text
    .replace(/\\+u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/&(lt|gt|quot|amp|#34|#39);/g, (_, name: string) => characters[name] ?? '')
    .replace(/\\+[nrt]/g, '')
    .replace(/[\s\\]+/g, '')
}

const characters: Record<string, string> = { lt: '<', gt: '>', quot: '"', amp: '&', '#34': '"', '#39': "'" }
