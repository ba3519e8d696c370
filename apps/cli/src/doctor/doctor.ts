import type { Command } from '../context.ts'
import { exits } from '../exit-code.ts'
import type { Output } from '../output.ts'
import { neutraliseLine } from '../terminal-text.ts'
import { databaseChecks } from './database.ts'
import { type Finding, look } from './finding.ts'
import { machineChecks } from './machine.ts'
import { serviceChecks } from './service.ts'
import { wallChecks } from './walls.ts'

export const doctor: Command<object> = async ({ config, output }) => {
  const checks = [
    ...machineChecks(config),
    ...wallChecks(config),
    ...serviceChecks(config, output),
    ...databaseChecks(config),
  ]
  const findings = await Promise.all(checks.map(look))
  const failed = findings.filter((finding) => finding.status === 'fail').length
  if (output.json) output.document({ ok: failed === 0, findings })
  else for (const line of lines(findings, output)) output.line(line)
  return failed === 0 ? exits.ok : exits.findings
}

const marks = {
  ok: ['green', 'ok'],
  warn: ['yellow', 'warn'],
  fail: ['red', 'FAIL'],
  skip: ['dim', 'skip'],
} as const

function lines(findings: Finding[], output: Output): string[] {
  const printed = findings.flatMap((finding) => {
    const [colour, mark] = marks[finding.status]
    const first = `${output.paint(colour, mark.padEnd(4))}  ${finding.title}: ${neutraliseLine(finding.detail)}`
    return finding.fix === undefined
      ? [first]
      : [first, `      ${output.paint('bold', 'Fix:')} ${neutraliseLine(finding.fix)}`]
  })
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length
  const summary = `${findings.length} checks: ${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failed, ${count('skip')} skipped`
  return [...printed, '', summary]
}
