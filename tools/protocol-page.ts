import { errorTable, type ErrorCode } from '@muster/contract/errors'
import {
  helloWithinMs,
  hubMessage,
  leaseMs,
  maxBadMessages,
  maxMessageBytes,
  wireVersion,
  workerMessage,
} from '@muster/contract/wire'
import { closing } from '@muster/contract/wire-closing'
import { acceptMs, defaultLimits, maxLosses } from '../apps/hub/src/tasks/limits.ts'
import { fieldsOf, messagesOf, shapesOf, wordsFor, type Field, type JsonSchema } from './json-schema.ts'
import { exchange } from './protocol-example.ts'

const seconds = (ms: number) => `${ms / 1_000} s`

/** Codes that a client of this socket can meet, apart from those of the closing table. */
const codes: ErrorCode[] = [
  'hello_required',
  'already_identified',
  'malformed_json',
  'unknown_message_type',
  'invalid_message',
  'frame_too_large',
  'stale_epoch',
  'protocol_violation',
  'worker_already_connected',
  'too_many_messages',
  'too_many_channels',
  'not_found',
  'forbidden',
  'unauthenticated',
]

/**
 * docs/protocol.md: all that somebody needs to write an agent in any language, from the schemas that both sides check
 * with. Whoever reads it has not read the sources.
 */
export function protocolPage(): string {
  return `# The wire between an agent and its hub

Written by \`npm run generate\` from \`packages/contract/src/wire.ts\`. Two whole clients are in
[examples](../examples/README.md), one in plain JavaScript and one in Python's standard library.

An *agent* does tasks; the program that speaks for it is a *worker* to the hub. Any program that speaks WebSocket can be
one. This is version ${wireVersion} of the protocol.

## Connecting

- Make a token: \`npx muster token create NAME --worker\`. It names one worker, prints its secret once, and serves one
  connection at a time.
- Open a WebSocket at \`ws://127.0.0.1:4600/api/v1/workers/socket\` (\`wss://\` where the hub is behind TLS) with the header
  \`Authorization: Bearer TOKEN\`. A refused token is answered with HTTP 401, another kind of token with 403.
- Messages are JSON objects in text frames, one for each frame, with a \`type\`. Fields that are not known are ignored. A message
  of yours has at most ${maxMessageBytes / 1_048_576} MiB; be ready for 8 MiB from the hub. Binary frames are not understood.
- The hub pings every 5 s. Your library answers; if three pings are not answered the connection is dropped. Ping yourself every
  30 s and connect again when no pong comes within 10 s, because a dead network says nothing.
- After a lost connection try again after 1 s, 2 s, 4 s … 60 s, or once a second while the connection is refused outright, and
  say \`hello\` with the same \`instance\` and with all that you still hold.

## A whole exchange

${fence(exchange())}

## The rules

**Hello.** The first message, within ${seconds(helloWithinMs)}. Nothing else is understood before the \`welcome\`.

**Answers.** You choose the \`id\` of a message; its one answer has it as \`to\`. Messages are worked through in the order in which
they came. A \`reply\` with \`ok: false\` says that the hub understood you and refuses: nothing was changed. With the code
\`database_unavailable\` or \`database_full\` it could not be written: send the same message again after half a second, and go on
with what you run until its lease ends by your clock. An \`error\` says that the message itself does not fit. Up to
${maxBadMessages} of those are answered on one connection; the next one ends it. Only the refusal of a \`progress\` or a
\`delta\`, which have no \`id\`, is an \`error\` that is not counted. If you send faster than the hub can store, it stops reading until
it has caught up.

**Leases and epochs.** An assignment is a lease on a task for \`leaseMs\` (${seconds(leaseMs)}), by the clock of the hub's
database. \`accept\` it within ${seconds(acceptMs)}. Send \`renew\` for all you hold every third of a lease. If a renewal is not answered in
time, count the lease from the moment at which you *sent* the last one that was; when it has run out, stop the work, for the
task may be somebody else's. Each assignment raises the \`epoch\` of its task, and every message about a run carries it: one
with an older epoch is refused with \`stale_epoch\`. Stop that run and throw its work away.

**Saying that you work.** A run that says nothing in \`phase\`, \`output\`, \`progress\` or \`delta\` for ${defaultLimits.noProgressMs / 60_000} minutes is given up, even
while its lease is renewed. \`timeoutMs\` of the assignment is a deadline around everything.

**What you may execute.** \`command\` and the commands in \`checks\` come from whoever may add tasks, or from a model. Execute them
only behind a wall: without your rights, your files and your network. A worker says in \`walls\` which walls it has that work;
one that has none is given nothing. The hub cannot look, so this is the word of the operator of the token: declare a wall only if
what a task brings is isolated from the machine, or if you execute nothing of it.

**When a task is done.** Only with proof. \`finish\` with the ending \`verified\` is accepted if

- \`report\` is about \`commit\` and \`base\`, and at least one file is changed (unless the task has \`allowEmpty\`);
- \`publish\` of this very commit on the \`branch\` of the assignment was granted to this epoch;
- each declared check is in \`report.checks\` with exactly its kind and target, and every result there is \`pass\`;
- \`report.overall\` is \`pass\`, or \`auto_pass\` if no check was declared.

Otherwise it is refused with \`protocol_violation\` and the reason. Any other ending ends the run without proof: say what
happened (\`execution_failed\`, \`timed_out\`, …); the task is tried again as often as it allows, then it is dead. To give a task
back so that another worker may try, say \`refuse\`; after ${maxLosses} runs that were lost or refused the task is dead.

**Which tasks you get.** Those of the workspace of your token, to as many at once as you have \`slots\`, that ask for a wall you
say you have, need no capability that you lack (\`npx muster task add --needs NAME\`) and name no other worker
(\`--worker NAME\`).

**The repository.** Clone \`repo.url\`, work on what is checked out there (\`base\`), and leave all branches alone but the
\`branch\` of the assignment, or \`failedBranch\` for work that did not pass. Ask with \`publish\` first, push after the reply, and push
so that the branch is only created (\`--force-with-lease=refs/heads/BRANCH:\` with nothing after the colon). That is what
keeps two agents apart of which one was thought dead.

**If you are killed.** Say at the next hello what you held, with the phase \`lost\`, and the hub gives it to somebody at once;
say nothing, and it does so when the lease has run out. A \`finish\` that was not answered is sent again: one that is recorded
already is answered with yes.

## What you send

The least that a client needs: \`hello\`, \`accept\`, \`renew\`, \`publish\`, \`finish\`.

${sections(workerMessage, 'input', 'you')}
## What the hub sends

${sections(hubMessage, 'output', 'hub')}
## Shapes

What several messages hold.

${shapes()}
## Codes

In an \`error\`, in the \`error\` of a reply, or as the reason of a closed connection. All codes of Muster are in
[errors](errors.md).

| Code | When | What to do |
|---|---|---|
${codes.map((code) => `| \`${code}\` | ${cell(errorTable[code].when)} | ${cell(errorTable[code].hint)} |`).join('\n')}

## Why the hub closes a connection

| Closing code | When | What to do |
|---|---|---|
${Object.values(closing)
  .map(({ code, when, next }) => `| ${code} | ${cell(when)} | ${cell(next)} |`)
  .join('\n')}
`
}

function fence(text: string): string {
  return `\`\`\`text\n${text.trim()}\n\`\`\``
}

function sections(union: Parameters<typeof messagesOf>[0], io: 'input' | 'output', by: string): string {
  return messagesOf(union, io)
    .map(({ type, schema }) => section(type, schema, by))
    .join('\n')
}

function shapes(): string {
  const all = [...messagesOf(workerMessage, 'input'), ...messagesOf(hubMessage, 'output')]
  return shapesOf(all)
    .map((shape) => `### ${shape.title}\n${table(shape)}`)
    .join('\n')
}

function section(type: string, schema: JsonSchema, by: string): string {
  return `### \`${type}\` (${by})\n\n${schema.description ?? ''}\n${table(schema)}`
}

function table(schema: JsonSchema): string {
  const rows = fieldsOf(schema).map(row)
  if (rows.length === 0) return ''
  return `\n| Field | Holds | Meaning |\n|---|---|---|\n${rows.join('\n')}\n`
}

function row({ path, schema, isOptional }: Field): string {
  const fallback = schema.default === undefined ? '' : `, else \`${JSON.stringify(schema.default)}\``
  const optional = isOptional ? `; may be left out${fallback}` : ''
  return `| \`${path}\` | ${cell(wordsFor(schema) + optional)} | ${cell(schema.description ?? '')} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
