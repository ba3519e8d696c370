import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gitRepo, type GitRepo } from '@muster/testkit/git-repos'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectNothingOf, ownerToken, startStack, type Stack } from './stack.ts'
import { add, addAndWait, addRepo, logOf, runsOf, untilState } from './tasks-of.ts'

/** Built so that the secret itself is nowhere in a command: a search for it must find it only where it leaked. */
const canary = (what: string) => `canary-${what}-${randomBytes(8).toString('hex')}`
const secrets = {
  up: canary('up'),
  // The hub alone calls models, so it alone gets their keys.
  model: canary('model'),
  // Names that Muster hands on to the hub and to the worker, because git needs some like them.
  parts: canary('parts'),
  key: canary('key'),
}

let stack: Stack
let repo: GitRepo
beforeAll(async () => {
  stack = await startStack({
    env: {
      ANTHROPIC_API_KEY: secrets.model,
      // Nobody listens there: what is asked with this key stays on this machine.
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
      AWS_SECRET_ACCESS_KEY: secrets.up,
      XDG_SECRET: secrets.parts,
      SSH_AUTH_SOCK: `/tmp/${secrets.parts}`,
      GIT_SSH_COMMAND: `ssh -i /tmp/${secrets.key}`,
    },
  })
  repo = await gitRepo({ 'a.txt': 'A\n' })
  await addRepo(stack, 'demo', repo.path)
})
afterAll(async () => {
  await stack.stop()
  await repo.remove()
})

/** Runs a script behind the wall that writes what it learns to `found`, and answers that file and the log. */
async function learn(script: string): Promise<{ found: string; log: string; id: string }> {
  const run = `touch found; (${script}) > found 2>&1; echo "ended with $?" >> found; cat found`
  const { code, task } = await addAndWait(
    stack,
    'demo',
    'Look around',
    '--run',
    run,
    '--check',
    'file_exists:found',
  )
  expect(code, task.reason ?? '').toBe(0)
  return {
    found: await repo.git('show', `${task.branch}:found`),
    log: await logOf(stack, task.id),
    id: task.id,
  }
}

const environmentOf = async (pid: number) => readFile(`/proc/${pid}/environ`, 'utf8')

describe('the secrets of this test', () => {
  it('are in the environment of the hub and the worker and in the token files, so that there is something to steal', async () => {
    const { up, hub, worker } = await stack.pids()
    expect(await environmentOf(up)).toContain(secrets.up)
    for (const pid of [hub, worker]) {
      expect(await environmentOf(pid)).toContain(secrets.parts)
      expect(await environmentOf(pid)).toContain(secrets.key)
      // Keys of clouds do not even get that far.
      expect(await environmentOf(pid)).not.toContain(secrets.up)
    }
    expect(await environmentOf(hub)).toContain(secrets.model)
    expect(await environmentOf(worker)).not.toContain(secrets.model)
    expect(await ownerToken(stack.data)).toMatch(/^muster_person_/)
  })
})

describe('a task behind its wall', () => {
  it('finds no secret in its environment, in any process, or in any file it can read', async () => {
    // The pattern does not match itself, so what is found is not the search.
    const pattern = 'c[a]nary-[a-z]+-[0-9a-f]{16}|m[u]ster_(person|worker|session|link)_[A-Za-z0-9_-]{20}'
    const { found, log, id } = await learn(`
      printf 'can%s' 'ary-planted-0123456789abcdef' > planted
      echo "== environment"; env | grep -aE '${pattern}'
      echo "== processes"; ls -d /proc/[0-9]* | wc -l
      for d in /proc/[0-9]* /proc/self; do tr '\\0' '\\n' < $d/environ; tr '\\0' '\\n' < $d/cmdline; done 2>/dev/null | grep -aE '${pattern}'
      echo "== files"
      find / -xdev -type f -size -2M ! -path '/proc/*' ! -path '/usr/*' ! -path '/workspace/.git/*' -print0 2>/dev/null | xargs -0 grep -D skip -alE '${pattern}' 2>/dev/null
      for m in $(cut -d' ' -f5 /proc/self/mountinfo | grep -vE '^/(usr|proc|sys|lib|bin|sbin)'); do
        find "$m" -xdev -type f -size -2M -print0 2>/dev/null | xargs -0 grep -D skip -alE '${pattern}' 2>/dev/null
      done
      echo "== mounts"; cut -d' ' -f4,5 /proc/self/mountinfo`)
    const [, environment, processes, files, mounts] = found.split(/^== \w+$/m)
    expect(environment?.trim()).toBe('')
    // Only the count: its own handful of processes, not the hundreds of the machine.
    expect(processes?.trim()).toMatch(/^\d{1,2}$/)
    // The planted one is found, so the search does find what is there; nothing else is.
    expect([...new Set(files?.trim().split('\n'))]).toEqual(['/workspace/planted'])
    // What is mounted comes from the system, from the run's own directory and from the wall's few files.
    const fromData = mounts?.split('\n').filter((line) => line.includes(stack.data)) ?? []
    expect(
      fromData.map((line) => line.split(' ')[1]).filter((at) => !/^\/(workspace|etc\/)/.test(at ?? '')),
    ).toEqual([])

    const everything = JSON.stringify([log, await runsOf(stack, id), (await stack.api(`/tasks/${id}`)).body])
    const stolen = [...Object.values(secrets), await ownerToken(stack.data)].filter((one) =>
      everything.includes(one),
    )
    expect(stolen).toEqual([])
  })

  it('cannot read the password file, see other processes, or be anybody but its own user', async () => {
    const { found } = await learn(`
      cat /etc/shadow && echo SHADOW
      id -u; cat /proc/self/status | grep -E '^(CapEff|NoNewPrivs|Seccomp):'
      su -c id root </dev/null && echo ROOT
      unshare -Ur true && echo USERNS
      mount -t tmpfs none /mnt && echo MOUNTED
      ls /proc/1/root/root && echo HOSTROOT
      kill -0 ${process.pid} && echo KILLABLE`)
    expect(found).not.toMatch(/SHADOW|ROOT|USERNS|MOUNTED|KILLABLE/)
    expect(found).toMatch(/CapEff:\s+0000000000000000/)
    expect(found).toMatch(/NoNewPrivs:\s+1/)
    expect(found).toMatch(/Seccomp:\s+2/)
  })

  it('reaches neither the hub nor any other network, while the machine does', async () => {
    expect((await fetch(`${stack.url}/health`)).status).toBe(200)
    const { found } = await learn(`
      curl -sS --max-time 3 ${stack.url}/health && echo CURLED
      bash -c 'exec 3<>/dev/tcp/127.0.0.1/${stack.port} && echo OPENED'
      bash -c 'exec 3<>/dev/tcp/192.0.2.1/80 && echo OUTSIDE'
      python3 -c 'import socket; s = socket.create_connection(("127.0.0.1", ${stack.port}), 2); print("CONNECTED")'
      ls ${stack.data} /tmp/.muster* /run/*postgres* 2>/dev/null && echo SOCKETS
      cat /proc/net/dev | tail -n +3 | cut -d: -f1`)
    expect(found).not.toMatch(/CURLED|OPENED|OUTSIDE|CONNECTED|SOCKETS/)
    expect(found.split('\n').filter((line) => /^ *(eth|en[ospx]|wl|docker|veth)\w*\d/.test(line))).toEqual([])
  })

  it('writes nowhere on the machine but in its workspace', async () => {
    const places = [
      '/',
      '/usr',
      '/usr/bin',
      '/etc',
      '/bin',
      '/lib',
      '/var',
      '/opt',
      '/home',
      '/root',
      '/proc',
      '/sys',
    ]
    const mine = [stack.data, join(stack.data, 'worker'), repo.path, '/tmp', '/dev/shm', '/var/tmp']
    const name = `written-${randomBytes(6).toString('hex')}`
    await learn(
      `for d in ${[...places, ...mine].join(' ')}; do (mkdir -p $d; echo x > $d/${name}) 2>/dev/null; done; echo y > inside`,
    )
    const leaked = await Promise.all(
      [...places, ...mine].map((dir) =>
        readFile(join(dir, name)).then(
          () => dir,
          () => undefined,
        ),
      ),
    )
    expect(leaked.filter((dir) => dir !== undefined)).toEqual([])
    expect(await repo.git('status', '--porcelain')).toBe('')
  })

  it('finds nothing of a run that works beside it', async () => {
    const word = `private-${randomBytes(6).toString('hex')}`
    const other = await add(
      stack,
      'demo',
      'Other',
      '--run',
      `echo x > ${word}; touch /tmp/${word}; sleep 30`,
      '--allow-empty',
    )
    const { runId } = await untilState(stack, other.id, (found) => found.phase === 'running')
    const { found } = await learn(`
      w='${word.slice(0, 8)}''${word.slice(8)}'
      find / -name "$w" 2>/dev/null
      ls -R ${stack.data}/worker/runs /proc/*/root/workspace 2>/dev/null | grep "$w"
      cat ${stack.data}/worker/runs/${runId}/work/"$w" && echo READ
      ls ${stack.data}/worker/mirrors && echo MIRRORS
      echo nothing-else`)
    expect((await untilState(stack, other.id, () => true)).state).toBe('running')
    expect(found).not.toMatch(/READ|MIRRORS/)
    expect(found).not.toMatch(new RegExp(`^/.*${word}$`, 'm'))
    expect((await stack.muster('task', 'cancel', other.id)).code).toBe(0)
  })

  it('leaves no daemon behind', async () => {
    const seconds = `2000.${Date.now()}`
    const { found } = await learn(`
      setsid nohup sleep ${seconds} >/dev/null 2>&1 &
      (trap '' HUP TERM; sleep ${seconds}) >/dev/null 2>&1 &
      python3 -c 'import os,time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "${seconds}"])' >/dev/null 2>&1
      sleep 0.3; pgrep -fc '[s]leep ${seconds}' || ps ax | grep -c '[s]leep ${seconds}'`)
    expect(found).toMatch(/^[3-9]$/m)
    await expectNothingOf(`sleep ${seconds}`, 2_000)
  })
})
