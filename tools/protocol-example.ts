import { errorTable } from '@muster/contract/errors'
import { hubMessage, workerMessage } from '@muster/contract/wire'
import type { z } from 'zod'

type You = { you: z.input<typeof workerMessage> }
type Hub = { hub: z.input<typeof hubMessage> }
/** A line of the story: something said, or what happens beside the connection. */
type Line = You | Hub | { note: string } | { wrong: object }

const task = { taskId: '019c01d4-7a52-7d6e-9a1c-3f2b8e5d4c10', epoch: 1 }
const runId = '019c01d4-7a80-72b3-8f7e-51c0a9d2e644'
const base = '8d9f3c1be07a42f6a5d1c3e2b4f60718293a4b5c'
const commit = '1f4e2d3c5b6a79880716253443526170fedcba98'
const branch = 'muster/shell/greet-8e5d4c10'

const result = {
  ending: 'verified' as const,
  reason: 'No check was declared; the work is there.',
  exitCode: null,
  base,
  commit,
  branch,
  report: {
    overall: 'auto_pass' as const,
    run: 1,
    commit,
    base,
    ms: 812,
    totals: { pass: 0, fail: 0, error: 0, timeout: 0 },
    changed: { files: 1, insertions: 1, deletions: 0 },
    proof: { restored: [], removed: [], merged: [] },
    checks: [],
  },
  diff: 'diff --git a/hello.md b/hello.md\nnew file mode 100644\n--- /dev/null\n+++ b/hello.md\n@@ -0,0 +1 @@\n+Hello\n',
  diffTruncated: false,
}

const story: Line[] = [
  { note: 'The connection is open.' },
  {
    you: {
      type: 'hello',
      id: 1,
      wire: 1,
      instance: 'greeter on build-7',
      client: 'greeter/1.0',
      capabilities: ['greeting'],
      walls: [{ kind: 'namespace', ok: true, detail: 'runs nothing that a task brings' }],
    },
  },
  {
    hub: {
      type: 'welcome',
      to: 1,
      workerId: '019c01d4-6b11-7f0a-b3c4-d5e6f7a8b9c0',
      workerName: 'greeter',
      leaseMs: 10_000,
      decisions: [],
    },
  },
  { note: 'Somebody adds a task; seconds or days later.' },
  {
    hub: {
      type: 'assign',
      assignment: {
        ...task,
        runId,
        attempt: 1,
        title: 'Greet',
        description: null,
        repo: { id: '019c01d0-0c3e-7a61-8d52-9e4f1a2b3c4d', name: 'demo', url: '/home/ann/code/demo' },
        agent: 'shell',
        branch,
        failedBranch: 'muster-failed/shell/greet-8e5d4c10',
        executor: 'shell',
        command: 'true',
        checks: [],
        mayChange: [],
        allowEmpty: false,
        wall: 'namespace',
        network: 'none',
        timeoutMs: 1_800_000,
        deadlineMs: 1_800_000,
      },
    },
  },
  { you: { type: 'accept', id: 2, ...task } },
  { hub: { type: 'reply', to: 2, ok: true } },
  { you: { type: 'progress', ...task, text: 'cloning', percent: 10 } },
  { note: 'From now on every 3.3 s, whatever else happens:' },
  { you: { type: 'renew', id: 3, leases: [task] } },
  { hub: { type: 'reply', to: 3, ok: true, lost: [] } },
  { note: 'You clone `repo.url`, do the work and commit it. Then you ask to put it on the branch:' },
  { you: { type: 'publish', id: 4, ...task, branch, commit } },
  { hub: { type: 'reply', to: 4, ok: true } },
  {
    note: `You push: git push --force-with-lease=refs/heads/${branch}: origin ${commit.slice(0, 8)}…:refs/heads/${branch}`,
  },
  { you: { type: 'finish', id: 5, ...task, runId, result } },
  { hub: { type: 'reply', to: 5, ok: true } },
  { note: 'The task is done. A mistake, and a run that was held too long without renewing:' },
  { wrong: { type: 'acept', id: 6, ...task } },
  {
    hub: {
      type: 'error',
      to: 6,
      code: 'unknown_message_type',
      message: 'There is no message of the type "acept".',
      hint: errorTable.unknown_message_type.hint,
    },
  },
  { you: { type: 'accept', id: 7, ...task } },
  {
    hub: {
      type: 'reply',
      to: 7,
      ok: false,
      error: {
        code: 'stale_epoch',
        message: `Epoch 1 of task ${task.taskId} is not the current one.`,
        hint: errorTable.stale_epoch.hint,
      },
    },
  },
]

/** A whole exchange. Each message is checked with the schema of its side, so that the page cannot show a wrong one. */
export function exchange(): string {
  return story.map(write).join('\n')
}

function write(line: Line): string {
  if ('note' in line) return `\n// ${line.note}\n`
  if ('wrong' in line) return `you → ${JSON.stringify(line.wrong)}`
  if ('you' in line) {
    workerMessage.parse(line.you)
    return `you → ${JSON.stringify(line.you)}`
  }
  hubMessage.parse(line.hub)
  return `hub → ${JSON.stringify(line.hub)}`
}
