import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareMachine } from './machine.ts'
import { runStaticChecks } from './static-checks.ts'
import { runStep, type StepResult } from './step.ts'

type Counts = { passed: number; failed: number; skipped: number }

/** A suite: which vitest projects, and the packages without which it cannot run here. */
type Suite = {
  name: string
  projects: string[]
  needs: string[]
  onServer?: boolean
  /** Only files whose path has one of these. */
  paths?: string[]
  env?: Record<string, string>
  limitMs: number
}

const suites: Suite[] = [
  { name: 'unit and architecture', projects: ['unit', 'architecture'], needs: ['git'], limitMs: 1_200_000 },
  { name: 'rooms on the embedded PostgreSQL 18', projects: ['room'], needs: ['git'], limitMs: 1_200_000 },
  {
    name: 'rooms on the distribution’s PostgreSQL',
    projects: ['room'],
    needs: ['git', 'postgresql'],
    onServer: true,
    limitMs: 900_000,
  },
  {
    // Everything that has a hub with its loops: each must find by itself, within a second, what it is not told.
    name: 'rooms without a word between hubs (NOTIFY off)',
    projects: ['room'],
    needs: ['git'],
    paths: ['src/http', 'src/agents', 'src/mail', 'src/runs', 'src/kernel/events'],
    env: { MUSTER_NOTIFY: 'off' },
    limitMs: 900_000,
  },
  { name: 'the queue against its model', projects: ['model'], needs: ['git'], limitMs: 1_200_000 },
  { name: 'walls', projects: ['wall'], needs: ['git', 'bubblewrap'], limitMs: 1_200_000 },
  { name: 'scenarios', projects: ['scenario'], needs: ['git', 'bubblewrap'], limitMs: 2_400_000 },
  {
    name: 'the page in a browser',
    projects: ['browser'],
    needs: ['git', 'bubblewrap', 'chromium'],
    limitMs: 900_000,
  },
]

const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const lines: string[] = []
const out = mkdtempSync(join(tmpdir(), 'muster-test-'))

const missing = prepareMachine()
const lacks = (needed: string[]) => missing.filter((need) => needed.includes(need.package))

for (const result of await runStaticChecks()) countStep(result)
countStep(
  await runStep('page bundle', [process.execPath, 'apps/web/build.ts'], { quiet: true, limitMs: 300_000 }),
)
for (const suite of suites) await runSuite(suite)
if (lacks(['git', 'bubblewrap']).length === 0) {
  const argv = [process.execPath, 'test/bench/main-job/main.ts', '--short']
  countStep(await runStep('bench, short form', argv, { limitMs: 600_000 }))
  const loop = [process.execPath, 'test/bench/loop/main.ts', '--short']
  countStep(await runStep('bench of the loop, short form', loop, { limitMs: 300_000 }))
}

const chaos = [process.execPath, 'test/chaos/main.ts', '--rounds', '25']
countStep(await runStep('chaos, 25 rounds', chaos, { limitMs: 900_000 }))

const queueBench = [process.execPath, 'test/bench/queue/main.ts', '--short']
countStep(await runStep('bench of the queue, short form', queueBench, { limitMs: 300_000 }))

rmSync(out, { recursive: true, force: true })
process.stdout.write(`\nWhat was covered\n${lines.join('\n')}\n`)
for (const need of missing) process.stdout.write(`Not here: ${need.package}, so untested: ${need.without}.\n`)
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`)
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1)

async function runSuite(suite: Suite): Promise<void> {
  const without = lacks(suite.needs)
  if (without.length > 0) {
    lines.push(`  skipped  ${suite.name}: ${without.map((need) => need.package).join(', ')} is not installed`)
    total.skipped += 1
    return
  }
  process.stdout.write(`\n${suite.name}\n`)
  const file = join(
    out,
    `${suite.projects.join('-')}${suite.onServer === true ? '-server' : ''}${suite.env === undefined ? '' : '-other'}.json`,
  )
  const projects = suite.projects.flatMap((project) => ['--project', project])
  const vitest = [
    'vitest',
    'run',
    ...(suite.paths ?? []),
    ...projects,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]
  const argv =
    suite.onServer === true
      ? [process.execPath, 'packages/testkit/src/debian-server.ts', '--', ...vitest]
      : vitest
  const result = await runStep(suite.name, argv, {
    limitMs: suite.limitMs,
    ...(suite.env === undefined ? {} : { env: suite.env }),
  })
  const counts = countsIn(file)
  // A suite that ended badly without a failed test (a crash, an unhandled error, no time left) is a failure too.
  if (!result.ok && counts.failed === 0) counts.failed = 1
  total.passed += counts.passed
  total.failed += counts.failed
  total.skipped += counts.skipped
  const seconds = (result.ms / 1000).toFixed(0)
  lines.push(
    `  ${result.ok ? 'ok     ' : 'FAILED '}  ${suite.name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${seconds} s`,
  )
}

function countStep(result: StepResult): void {
  total[result.ok ? 'passed' : 'failed'] += 1
  lines.push(`  ${result.ok ? 'ok     ' : 'FAILED '}  ${result.name} in ${(result.ms / 1000).toFixed(0)} s`)
}

function countsIn(file: string): Counts {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>
    return {
      passed: report['numPassedTests'] ?? 0,
      failed: report['numFailedTests'] ?? 0,
      skipped: (report['numPendingTests'] ?? 0) + (report['numTodoTests'] ?? 0),
    }
  } catch {
    // No report: the runner itself did not come to its end.
    return { passed: 0, failed: 1, skipped: 0 }
  }
}
