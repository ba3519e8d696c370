import { runStep, type StepResult } from './step.ts'

const node = process.execPath

/** What is known without running the product, in the order in which a failure is cheapest to see. */
export const staticChecks: { name: string; argv: string[] }[] = [
  { name: 'types', argv: ['tsc', '-p', '.'] },
  { name: 'types of the page', argv: ['tsc', '--noEmit', '-p', 'apps/web'] },
  { name: 'lint', argv: ['oxlint', '--deny-warnings', '.'] },
  { name: 'format', argv: ['oxfmt', '--check', '.'] },
  { name: 'unused code', argv: ['knip', '--no-progress'] },
  { name: 'generated pages', argv: [node, 'tools/generate.ts', '--check'] },
]

export async function runStaticChecks(): Promise<StepResult[]> {
  const results: StepResult[] = []
  for (const { name, argv } of staticChecks) {
    const result = await runStep(name, argv, { quiet: true, limitMs: 300_000 })
    process.stdout.write(`${result.ok ? 'ok  ' : 'FAIL'}  ${name} (${(result.ms / 1000).toFixed(1)} s)\n`)
    results.push(result)
  }
  return results
}
