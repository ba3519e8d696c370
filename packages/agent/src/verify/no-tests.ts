/**
 * Runners that say "success" when there was nothing to run. Python's unittest did so before 3.12; go, cargo and node
 * still do. A proof of nothing is no proof.
 */
export function ranNoTests(output: string): boolean {
  if (/^Ran 0 tests in /m.test(output)) return true
  if (/^(#|ℹ) tests 0$/m.test(output)) return true
  const cargo = [...output.matchAll(/^running (\d+) tests?$/gm)]
  if (cargo.length > 0) return cargo.every(([, count]) => count === '0')
  const go = output.split('\n').filter((line) => /^(ok|FAIL|\?|---)\s/.test(line))
  return go.length > 0 && go.every((line) => /\[no test(s to run| files)\]/.test(line))
}
