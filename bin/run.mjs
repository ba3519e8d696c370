#!/usr/bin/env node
// run.mjs FILE.ts [ARG…]      runs a source file with a fitting Node, after installing what is missing
// run.mjs --bin NAME [ARG…]   the same for a command of an installed package
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { ensureInstalled, root } from './install.mjs'

/** Replaces this process as far as Node can: same terminal, same signals, same exit code. */
export async function runNode(argv, packages) {
  const node = await ensureInstalled(packages)
  const bin = [dirname(node), join(root, 'node_modules/.bin')].join(delimiter)
  // The IPC channel is a lifeline: when this process is killed -9 the child sees it close and stops.
  const child = spawn(node, argv, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: {
      // Types are stripped once and not at each start: that is two thirds of loading a part, and some 25 MB in each. The
      // worker needs 0.05 ms more per MB of its own memory for every git that it starts.
      NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/muster'),
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
      MUSTER_LIFELINE: '1',
    },
  })
  // A terminal sends Ctrl-C to the whole group: the child decides when to end, this process only waits.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (error) => {
    process.stderr.write(
      `muster: cannot start ${node}: ${error.message}\n` +
        '        If this system has no glibc (Alpine), install Node 24 from its own packages.\n',
    )
    process.exit(69)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

if (process.argv[1]?.endsWith('run.mjs')) {
  const [first, ...rest] = process.argv.slice(2)
  if (first === undefined) {
    process.stderr.write('muster: say what to run: run.mjs FILE.ts, or run.mjs --bin NAME\n')
    process.exit(2)
  }
  await runNode(
    first === '--bin' ? [join(root, 'node_modules/.bin', rest[0] ?? ''), ...rest.slice(1)] : [first, ...rest],
  )
}
