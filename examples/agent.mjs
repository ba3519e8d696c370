// An agent in plain JavaScript: Node 22 or newer and git, nothing else. It takes one task and ends. See README.md here.
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const { MUSTER_HUB = 'http://127.0.0.1:4600', MUSTER_TOKEN } = process.env
const headers = { authorization: `Bearer ${MUSTER_TOKEN}` }
const socket = new WebSocket(`${MUSTER_HUB.replace('http', 'ws')}/api/v1/workers/socket`, { headers })
const asked = new Map()
let lastId = 0
let leaseMs

const say = (message) => socket.send(JSON.stringify(message))
const ask = (message) =>
  new Promise((resolve) => {
    asked.set(++lastId, resolve)
    say({ ...message, id: lastId })
  })
const leave = (code, why) => {
  console.error(why)
  process.exit(code)
}

socket.addEventListener('open', async () => {
  // A worker without a wall is given nothing. This one may say that it has one: it executes nothing of a task.
  const walls = [{ kind: 'namespace', ok: true, detail: 'runs nothing that a task brings' }]
  const about = {
    instance: `agent.mjs on ${hostname()}`,
    client: 'agent.mjs',
    capabilities: ['greeting'],
    walls,
  }
  const welcome = await ask({ type: 'hello', wire: 1, ...about })
  leaseMs = welcome.leaseMs
  console.log(`${welcome.workerName} is connected and waits for a task`)
})
socket.addEventListener('message', ({ data }) => {
  const message = JSON.parse(data)
  if (message.type === 'assign') void work(message.assignment)
  else if (message.type === 'cancel') leave(1, message.reason)
  else if (message.type === 'error') leave(1, `${message.code}: ${message.message} ${message.hint}`)
  else if (message.ok === false) leave(1, `${message.error.code}: ${message.error.message}`)
  else asked.get(message.to)?.(message)
})
socket.addEventListener('close', ({ code, reason }) => leave(1, `the connection ended: ${code} ${reason}`))

async function work({ taskId, epoch, runId, attempt, title, repo, branch, checks }) {
  const run = { taskId, epoch }
  const refuse = async (code, reason) => {
    await ask({ type: 'refuse', ...run, code, reason })
    leave(1, `the task was given back: ${reason}`)
  }
  // To prove a check is to execute a command, and neither that nor `assignment.command` is executed here: whoever may
  // write a task, or what a model wrote into one, would then be at home on this machine. They belong behind a real wall.
  if (checks.length > 0)
    return refuse('checks_not_run', 'This agent executes nothing, so it can prove no check.')
  await ask({ type: 'accept', ...run })
  setInterval(async () => {
    const { lost } = await ask({ type: 'renew', leases: [run] })
    if (lost.length > 0) leave(1, 'the lease is gone; the task is somebody else’s now')
  }, leaseMs / 3)
  const began = performance.now()
  const dir = await mkdtemp(join(tmpdir(), 'muster-agent-'))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
  const git = async (...args) => (await promisify(execFile)('git', args, { cwd: dir })).stdout.trim()
  try {
    say({ type: 'progress', ...run, text: 'cloning', percent: 10 })
    await git('clone', '--quiet', '--no-tags', '--', repo.url, '.')
    const base = await git('rev-parse', 'HEAD')
    say({ type: 'progress', ...run, text: 'writing', percent: 50 })
    // Must be new: through a link of that name in the repository one would write somewhere else.
    await writeFile(join(dir, `hello-${runId}.md`), `Hello from agent.mjs: ${title}\n`, { flag: 'wx' })
    await git('add', '--all')
    await git('-c', 'user.name=agent.mjs', '-c', 'user.email=agent@example.org', 'commit', '-qm', title)
    const commit = await git('rev-parse', 'HEAD')
    await ask({ type: 'publish', ...run, branch, commit })
    // The empty expectation: the branch must not be there. It is made and never overwritten.
    const expected = `--force-with-lease=refs/heads/${branch}:`
    await git('push', '--quiet', expected, 'origin', `${commit}:refs/heads/${branch}`)
    const report = {
      ...{ overall: 'auto_pass', run: attempt, commit, base, ms: performance.now() - began, checks: [] },
      totals: { pass: 0, fail: 0, error: 0, timeout: 0 },
      changed: { files: 1, insertions: 1, deletions: 0 },
      proof: { restored: [], removed: [], merged: [] },
    }
    const end = { ending: 'verified', reason: 'No check was declared; the work is there.', exitCode: null }
    const result = {
      ...end,
      base,
      commit,
      branch,
      report,
      diff: await git('diff', base, commit),
      diffTruncated: false,
    }
    await ask({ type: 'finish', ...run, runId, result })
  } catch (error) {
    await refuse('worker_failed', error.message.slice(0, 2_000))
  }
  leave(0, `done: ${branch}`)
}
