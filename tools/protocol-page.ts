import { hubMessage, leaseMs, wireVersion, workerMessage } from '@muster/contract/wire'
import { z } from 'zod'

type Schema = {
  properties?: Record<string, Schema & { const?: string }>
  oneOf?: Schema[]
  required?: string[]
  type?: string
}

/** docs/protocol.md: the wire of a worker, message by message, from the schemas both sides check with. */
export function protocolPage(): string {
  return `# The wire between a worker and its hub

Written by \`npm run generate\` from \`packages/contract/src/wire.ts\`. JSON text messages over one WebSocket at
\`/api/v1/workers/socket\`, opened with \`Authorization: Bearer WORKER_TOKEN\`. Version ${wireVersion}; a lease lasts ${leaseMs / 1_000} s.

The worker says \`hello\` within 10 s of connecting, with every run it still holds; the hub answers \`welcome\` with one
decision for each. A message with an \`id\` gets exactly one \`reply\` whose \`to\` is that id. Every message about a run names
its task and epoch; an older epoch is answered with \`stale_epoch\` and changes nothing. A message that does not fit closes
the socket with code 4002.

# From the worker

${messages(workerMessage)}
# From the hub

${messages(hubMessage)}`
}

function messages(union: z.ZodType): string {
  const schema = z.toJSONSchema(union, { io: 'input', unrepresentable: 'any' }) as Schema
  return (schema.oneOf ?? []).map(section).join('\n')
}

function section(message: Schema): string {
  const { type, ...fields } = message.properties ?? {}
  const rows = Object.entries(fields).map(([name, field]) => {
    const optional = message.required?.includes(name) === true ? '' : ' (optional)'
    return `- \`${name}\`${optional}: \`${compact(field)}\``
  })
  return `## ${type?.const ?? 'message'}\n\n${rows.length === 0 ? 'No fields.' : rows.join('\n')}\n`
}

/** The schema in one line; patterns and bounds stay, because a client must keep them. */
function compact(field: Schema): string {
  const text = JSON.stringify(field, (key, value: unknown) =>
    key === 'pattern' && String(value).length > 60 ? '…' : value,
  )
  return text.length > 900 ? `${text.slice(0, 900)}…` : text
}
