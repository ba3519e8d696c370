import { randomUUID } from 'node:crypto'
import type { CheckResult, Report } from '@muster/contract/checks'
import type { Run } from '@muster/contract/runs'
import type { Task } from '@muster/contract/tasks'
import type { FakeHub } from './fake-hub.ts'

export const commit = '9f3c1d2ab4e5f60718293a4b5c6d7e8f90a1b2c3'
const base = '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d'

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1_000).toISOString()
}

export function passed(target: string, output = ''): CheckResult {
  return { kind: 'command_succeeds', target, status: 'pass', output, ms: 1_240 }
}

export function report(checks: CheckResult[], overall: Report['overall'] = 'pass'): Report {
  const count = (status: CheckResult['status']) => checks.filter((check) => check.status === status).length
  return {
    overall,
    run: 1,
    commit,
    base,
    ms: 5_320,
    totals: { pass: count('pass'), fail: count('fail'), error: count('error'), timeout: count('timeout') },
    changed: { files: 2, insertions: 7, deletions: 3 },
    proof: { restored: [], removed: [], merged: [] },
    checks,
  }
}

export function addWorker(hub: FakeHub, name = 'local', wallOk = true): void {
  hub.workers.push({
    id: randomUUID(),
    name,
    connected: true,
    state: 'working',
    flaggedAt: null,
    status: '',
    version: '0.0.1',
    client: 'muster-worker/0.0.1',
    capabilities: [],
    slots: 2,
    busy: 1,
    cordoned: null,
    walls: [
      wallOk
        ? { kind: 'namespace', ok: true, detail: 'bubblewrap 0.8.0 with user namespaces' }
        : {
            kind: 'namespace',
            ok: false,
            detail: 'The kernel refuses user namespaces.',
            fix: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
          },
    ],
    host: 'build-1',
    supervisor: null,
    blocked: null,
    restarting: false,
    resources: null,
    lastSeenAt: ago(1),
    createdAt: ago(86_400),
  })
}

export function addRun(hub: FakeHub, task: Task, part: Partial<Run> = {}): Run {
  const run: Run = {
    id: task.runId ?? randomUUID(),
    taskId: task.id,
    attempt: 1,
    epoch: 1,
    worker: 'local',
    agent: 'shell',
    wall: 'namespace',
    executor: 'shell',
    model: null,
    line: null,
    steps: 0,
    inputTokens: 0,
    outputTokens: 0,
    costMicroUsd: 0,
    savedMicroUsd: 0,
    partial: null,
    phase: null,
    ending: null,
    reason: null,
    exitCode: null,
    base,
    commit: null,
    branch: null,
    report: null,
    startedAt: ago(200),
    endedAt: null,
    ...part,
  }
  hub.runs.unshift(run)
  return run
}

export const smallDiff = `diff --git a/src/greet.ts b/src/greet.ts
index 83db48f..bf2a7c1 100644
--- a/src/greet.ts
+++ b/src/greet.ts
@@ -1,8 +1,9 @@ export function greet
 import { formatName } from './names.ts'

-export function greet(name) {
-  return 'hello ' + name
+/** Greets a person by name, in the language of the page. */
+export function greet(name: string): string {
+  if (name.trim() === '') return 'Hello'
+  return \`Hello, \${formatName(name)}\`
 }

 export const version = 2
--- removed line that looks like a header
diff --git a/docs/greeting.md b/docs/greeting.md
new file mode 100644
index 0000000..e69de29
--- /dev/null
+++ b/docs/greeting.md
@@ -0,0 +1,3 @@
+# Greeting
+
+How people are greeted.
diff --git a/old.txt b/old.txt
deleted file mode 100644
index 257cc56..0000000
--- a/old.txt
+++ /dev/null
@@ -1 +0,0 @@
-foo
`

/** One task in every state that a person meets, with what hangs on it. */
export function seed(hub: FakeHub): { running: Task; done: Task; dead: Task } {
  hub.addRepo('demo', '/srv/git/demo')
  hub.addRepo('payments-api', '/srv/git/payments-api')
  addWorker(hub)
  hub.addTask({
    title: 'Remove the unused feature flags',
    state: 'cancelled',
    ending: 'cancelled',
    createdAt: ago(90_000),
    startedAt: ago(89_990),
    endedAt: ago(89_000),
    reason: 'Cancelled by owner.',
    worker: 'local',
    attempt: 1,
    repo: 'payments-api',
  })
  const dead = seedDead(hub)
  const done = seedDone(hub)
  const running = seedRunning(hub)
  hub.addTask({
    title:
      'Describe the greeting in the manual, with an example for every supported language and its fallback',
    state: 'waiting',
    createdAt: ago(60),
    after: [running.id],
    reason: `Waits for ${running.short} to be done.`,
  })
  hub.addTask({
    title: 'Regenerate the API client',
    state: 'queued',
    lane: 'high',
    createdAt: ago(40),
    repo: 'payments-api',
  })
  return { running, done, dead }
}

function seedDead(hub: FakeHub): Task {
  const checks: CheckResult[] = [
    passed('npm run lint'),
    {
      kind: 'test_passes',
      target: 'npm test',
      status: 'fail',
      output:
        'FAIL src/totals.test.ts\n  × adds the tax once (4 ms)\n    expected 119 to be 138.04\n\n1 failed, 41 passed',
      ms: 8_410,
      reason: 'exited with 1',
    },
  ]
  const reason = 'Check "test_passes npm test" failed: exited with 1.'
  const task = hub.addTask({
    title: 'Round totals to cents',
    state: 'dead',
    ending: 'execution_failed',
    createdAt: ago(7_300),
    startedAt: ago(7_200),
    endedAt: ago(7_020),
    attempt: 3,
    worker: 'local',
    branch: 'failed/shell/round-totals-to-cents',
    commit,
    repo: 'payments-api',
    reason,
    checks,
    run: 'node scripts/round.js',
  })
  addRun(hub, task, {
    attempt: 3,
    ending: 'execution_failed',
    reason,
    exitCode: 0,
    report: {
      ...report(checks, 'fail'),
      proof: {
        restored: [{ path: 'src/totals.test.ts', why: 'a test that existed before the run' }],
        removed: [{ path: 'vitest.config.ts', why: 'decides which tests run' }],
        merged: [{ path: 'package.json', why: 'scripts are taken from the base, dependencies from the run' }],
      },
    },
    endedAt: ago(7_020),
    startedAt: ago(7_200),
  })
  hub.diffs.set(task.id, smallDiff)
  hub.write(task, 'rounding 14 call sites\n')
  return task
}

function seedDone(hub: FakeHub): Task {
  const checks = [
    passed('npm run lint', 'clean'),
    passed('npm test', '\u001b[32m42 passed\u001b[0m'),
    { ...passed('docs/greeting.md'), kind: 'file_exists' as const, ms: 3 },
  ]
  const task = hub.addTask({
    title: 'Greet people by their name',
    description: 'The greeting ignores the name it is given.',
    state: 'done',
    ending: 'verified',
    createdAt: ago(900),
    startedAt: ago(890),
    endedAt: ago(690),
    attempt: 1,
    worker: 'local',
    branch: 'muster/shell/greet-people-by-their-name-1f2e3d4c',
    commit,
    run: "sed -i 's/hello/Hello/' src/greet.ts\nnode scripts/format.js",
    checks,
    reason: 'All 3 checks passed on 9f3c1d2ab4.',
  })
  addRun(hub, task, {
    ending: 'verified',
    exitCode: 0,
    report: report(checks),
    commit,
    startedAt: ago(890),
    endedAt: ago(690),
    reason: 'All 3 checks passed.',
  })
  hub.diffs.set(task.id, smallDiff)
  hub.write(task, 'formatted 2 files\n')
  hub.event('task.done', task, { ending: 'verified', branch: task.branch })
  return task
}

function seedRunning(hub: FakeHub): Task {
  const task = hub.addTask({
    title: 'Translate the error messages',
    state: 'running',
    phase: 'running',
    createdAt: ago(130),
    startedAt: ago(94),
    attempt: 1,
    worker: 'local',
    lane: 'urgent',
    deadlineAt: ago(-1_700),
    runId: randomUUID(),
    run: 'node scripts/translate.js --all',
    declaredChecks: [
      { kind: 'test_passes', target: 'npm test' },
      { kind: 'git_clean', target: '' },
    ],
  })
  addRun(hub, task, { phase: 'running', startedAt: ago(94) })
  hub.event('task.assigned', task, { worker: 'local' })
  hub.event('task.phase', task, { phase: 'running' })
  hub.write(task, 'clone ready in 0.4 s\n', 'system')
  hub.write(
    task,
    'reading messages.json\n\u001b[1m118 messages\u001b[0m in \u001b[36mde\u001b[0m, \u001b[36mfr\u001b[0m\n',
  )
  hub.write(task, 'warning: 2 messages have no context\n', 'stderr')
  hub.write(task, '10 %\r50 %\r\u001b[32mtranslated 118\u001b[0m\n')
  return task
}
