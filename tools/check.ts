import { runStaticChecks } from './static-checks.ts'
import { runStep } from './step.ts'

// What to run before each commit: everything that needs neither a database nor a wall.
const results = await runStaticChecks()
results.push(
  await runStep(
    'unit and architecture',
    ['vitest', 'run', '--project', 'unit', '--project', 'architecture'],
    {
      limitMs: 900_000,
    },
  ),
)
const failed = results.filter((result) => !result.ok)
if (failed.length > 0) process.stdout.write(`\nFailed: ${failed.map((result) => result.name).join(', ')}\n`)
process.exit(failed.length === 0 ? 0 : 1)
