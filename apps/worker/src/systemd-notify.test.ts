import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProcess } from '@muster/testkit/processes'
import { expect, onTestFinished, test } from 'vitest'
import { createLog } from './log.ts'
import { createNotifier } from './systemd-notify.ts'

const path = process.env['PATH'] ?? ''
const log = createLog('silent')
const canHear = ['systemd-notify', 'python3'].every((name) => spawnSync(name, ['--version']).status === 0)

/** The end of the socket that systemd has. */
async function listen() {
  const dir = mkdtempSync(join(tmpdir(), 'muster-notify-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const socket = join(dir, 'notify')
  const program = `import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("${socket}")
print("listening", flush=True)
while True: print(s.recv(4096).decode().strip().replace("\\n", " "), flush=True)`
  const heard = startProcess('python3', ['-c', program], { env: { PATH: path } })
  onTestFinished(() => heard.kill())
  await heard.line(/^listening$/)
  return { socket, heard }
}

test.runIf(canHear)('systemd hears when the worker is ready, that it lives, and when it stops', async () => {
  const { socket, heard } = await listen()
  const notifier = createNotifier({ socket, watchdogMs: 400, path }, log)
  await notifier.ready('connected as box')
  await heard.line(/^READY=1 STATUS=connected as box$/)
  await heard.line(/^WATCHDOG=1$/)
  await notifier.stopping()
  await heard.line(/^STOPPING=1$/)
  const fed = () => heard.output().match(/WATCHDOG/g)?.length
  const before = fed()
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(fed()).toBe(before)
})

test('without a socket, and without the program, nothing is said and nothing fails', async () => {
  await createNotifier({ socket: undefined, watchdogMs: undefined, path }, log).ready('here')
  const alone = createNotifier(
    { socket: '/nonexistent/notify', watchdogMs: undefined, path: '/nonexistent' },
    log,
  )
  await alone.ready('here')
  await alone.stopping()
})
