import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { environment as environmentOf, main, runMuster, type Result } from './run-muster.ts'
import { sampleDiff, sampleMessage, sampleTask, sampleToken, startStubHub, type StubHub } from './stub-hub.ts'

const data = mkdtempSync(join(tmpdir(), 'muster-cli-'))
let hub: StubHub

beforeAll(async () => {
  hub = await startStubHub()
})
beforeEach(() => {
  hub.asked.length = 0
  hub.tasks = []
  hub.tokens = []
})
afterAll(async () => {
  await hub.close()
  rmSync(data, { recursive: true })
})

const environment = (changes: Record<string, string> = {}) =>
  environmentOf({ data, hub: hub.url, path: process.env['PATH'] }, changes)
const muster = (words: string[], env: Record<string, string> = {}) => runMuster(words, environment(env))

const add = ['task', 'add', '--repo', 'shop', '--title', 'Add a licence', '--run', 'true']

describe('handing in a task', () => {
  test('prints the id on stdout and everything else on stderr', async () => {
    const { code, out, err } = await muster([
      ...add,
      '--check',
      'command_succeeds:grep a:b x',
      '--timeout',
      '2s',
    ])
    expect(code).toBe(0)
    expect(out).toBe(`${hub.tasks[0]?.id}\n`)
    expect(err).toContain('muster task watch')
    expect(hub.asked[0]?.body).toMatchObject({
      repo: 'shop',
      checks: [{ kind: 'command_succeeds', target: 'grep a:b x' }],
      timeoutMs: 2_000,
    })
    expect(hub.asked[0]?.token).toBe('Bearer secret')
  })

  test('a lost connection and a database that is away are tried again with the same key', async () => {
    hub.refuse('hang_up', 'database_unavailable')
    const { code } = await muster(add)
    expect(code).toBe(0)
    expect(hub.asked.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST'])
    expect(new Set(hub.asked.map(({ key }) => key)).size).toBe(1)
    expect(hub.asked[0]?.key).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('a key of the caller is the one that is sent', async () => {
    await muster([...add, '--idempotency-key', 'nightly-7'])
    expect(hub.asked[0]?.key).toBe('nightly-7')
  })

  test.each([
    [['--check', 'file_exist:x'], 'file_exists, command_succeeds'],
    [['--lane', 'fast'], '--lane'],
    [['--network', 'everything'], '--network'],
    [['--timeout', '5'], '10m'],
    [['--may-change', ''], '--may-change'],
    [['--after', 'yesterday'], '--after'],
  ])('%j is refused with exit code 2 before the hub hears of it', async (words, said) => {
    const { code, out, err } = await muster([...add, ...words])
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toContain(said)
    expect(hub.asked).toEqual([])
  })

  test('with --wait --json one object is printed, and exit code 0 means done', async () => {
    const check = {
      kind: 'file_exists' as const,
      target: 'LICENSE',
      status: 'pass' as const,
      output: '',
      ms: 3,
    }
    hub.tasks = [sampleTask({ state: 'done', ending: 'verified', branch: 'muster/a/b', checks: [check] })]
    const { code, out } = await muster([...add, '--wait', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      state: 'done',
      ending: 'verified',
      branch: 'muster/a/b',
      commit: null,
      checks: [check],
    })
  })

  test.each(['dead', 'cancelled'] as const)(
    'with --wait a task that ends %s is exit code 1',
    async (state) => {
      hub.tasks = [sampleTask({ state })]
      expect((await muster([...add, '--wait'])).code).toBe(1)
    },
  )

  test('waiting goes on while the hub is away', async () => {
    hub.tasks = [sampleTask({ state: 'running' })]
    const waiting = muster([...add, '--wait'])
    await expect
      .poll(() => hub.asked.filter(({ method }) => method === 'GET').length, { timeout: 9_000 })
      .toBeGreaterThan(1)
    hub.refuse('hang_up', 'hang_up', 'internal')
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    hub.tasks = [sampleTask({ ...hub.tasks[0], state: 'done' })]
    expect((await waiting).code).toBe(0)
  }, 30_000)

  test('Ctrl-C while waiting leaves the task alone and says how to cancel it', async () => {
    const task = sampleTask({ state: 'running' })
    hub.tasks = [task]
    const child = spawn(process.execPath, [main, ...add, '--wait'], { env: environment() })
    let err = ''
    child.stderr.on('data', (piece: Buffer) => (err += piece.toString()))
    await expect.poll(() => err, { timeout: 9_000 }).toContain('running')
    child.kill('SIGINT')
    const code = await new Promise((resolve) => child.once('exit', resolve))
    expect(code).toBe(130)
    expect(err).toContain(`muster task cancel ${task.short}`)
    expect(hub.asked.some(({ path }) => path.endsWith('/cancel'))).toBe(false)
  })
})

describe('refusals', () => {
  test.each([
    ['not_found', 3],
    ['unauthenticated', 4],
    ['forbidden', 4],
    ['task_state_refuses', 5],
    ['internal', 1],
    ['too_many_attempts', 75],
    ['invalid_request', 2],
    ['repo_not_found', 3],
    ['host_refused', 4],
  ] as const)('%s is exit code %d, with its hint on stderr and nothing on stdout', async (code, exit) => {
    // fetch itself tries a 421 once more, on a new connection.
    hub.refuse(code, ...(code === 'host_refused' ? [code] : []))
    const result = await muster(['task', 'cancel', '7f3a9c21', '--json'])
    expect(result.code).toBe(exit)
    expect(result.out).toBe('')
    expect(JSON.parse(result.err)).toMatchObject({ code, hint: expect.any(String), docs: expect.any(String) })
  })

  test('a hub that does not run is exit code 69, and says how to start it', async () => {
    const nowhere = await muster(['task', 'list'], { MUSTER_HUB: 'http://127.0.0.1:1' })
    expect(nowhere.code).toBe(69)
    const notHere = await muster(['task', 'list'], { MUSTER_HUB: '' })
    expect(notHere).toMatchObject({ code: 69, out: '' })
    expect(notHere.err).toContain('npm start')
  })

  test('a token is not sent over a network in the clear', async () => {
    const { code, err } = await muster(['task', 'list'], { MUSTER_HUB: 'http://192.0.2.1:4600' })
    expect(code).toBe(2)
    expect(err).toContain('in the clear')
  })

  test.each([
    [['tsak'], 'Did you mean task?'],
    [['task', 'lst'], 'Did you mean list?'],
    [['task', 'list', '--stat', 'x'], 'Did you mean --state?'],
    [['task', 'show'], "argument 'task'"],
  ])('%j is a usage error that helps', async (words, said) => {
    const { code, out, err } = await muster(words)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toContain(said)
  })
})

describe('reading', () => {
  test('the log is whole, in order and without escape sequences, or as it was with --raw', async () => {
    expect((await muster(['task', 'log', '7f3a9c21'])).out).toBe('begin\nred\nend\n')
    expect((await muster(['task', 'log', '7f3a9c21', '--raw'])).out).toBe(
      'begin\n\u001b[31mred\u001b[0m\nend\n',
    )
    expect(JSON.parse((await muster(['task', 'log', '7f3a9c21', '--json'])).out).items).toHaveLength(3)
  })

  test('a diff into a pipe is what git needs, byte for byte', async () => {
    expect((await muster(['task', 'diff', '7f3a9c21'])).out).toBe(sampleDiff)
  })

  test('a task is shown with the output of a failed check and a command that is safe to paste', async () => {
    const check = {
      kind: 'test_passes' as const,
      target: 'auto',
      status: 'fail' as const,
      output: 'boom\u001b[2J\n',
      ms: 1,
    }
    hub.tasks = [
      sampleTask({
        state: 'dead',
        ending: 'partial_pass',
        reason: 'A check failed.',
        branch: 'muster/a/b',
        checks: [check],
      }),
    ]
    const { out } = await muster(['task', 'show', '7f3a9c21'])
    expect(out).toContain('dead (partial_pass)')
    expect(out).toContain('A check failed.')
    expect(out).toContain('  boom\n')
    expect(out).not.toContain('\u001b')
    expect(out).toContain(`git -C '/srv/it'\\''s here' show muster/a/b`)
  })

  test('files that define the proof and were taken back are named in the evidence', async () => {
    const restored = [{ path: 'test/a.test.ts', why: 'an existing test' }]
    hub.tasks = [sampleTask({ state: 'done', proof: { restored, removed: [], merged: [] } })]
    const { out } = await muster(['task', 'show', '7f3a9c21'])
    expect(out).toContain('restored test/a.test.ts (an existing test)')
  })

  test('a reader that has seen enough ends the command quietly', async () => {
    hub.tasks = Array.from({ length: 3_000 }, () => sampleTask({}))
    const { code, out, err } = await new Promise<Result>((resolve) => {
      const shell = `"${process.execPath}" "${main}" task list | head -1; echo "status \${PIPESTATUS[0]}" >&2`
      execFile('bash', ['-c', shell], { env: environment() }, (error, out, err) =>
        resolve({ code: error === null ? 0 : 1, out, err }),
      )
    })
    expect(code).toBe(0)
    expect(out.split('\n')).toHaveLength(2)
    expect(err).toBe('status 0\n')
  })

  test('an empty list is an empty document with --json and a sentence on stderr without', async () => {
    expect(JSON.parse((await muster(['task', 'list', '--json'])).out)).toEqual({
      items: [],
      nextCursor: null,
    })
    expect(await muster(['task', 'list'])).toMatchObject({ code: 0, out: '' })
  })
})

describe('messages', () => {
  const body = () => hub.asked.at(-1)?.body
  test.each([
    [['--to', 'box'], { to: 'box' }],
    [['--all'], { to: null }],
    [['--channel', 'deploys'], { channel: 'deploys' }],
    [['--reply-to', sampleMessage.id], { replyTo: sampleMessage.id }],
    [['--to', 'box', '--reply-to', sampleMessage.id], { to: 'box', replyTo: sampleMessage.id }],
  ])('a message with %j is sent as %j, and its id is on stdout', async (words, place) => {
    const { code, out } = await muster(['message', 'send', ...words, 'two words'])
    expect(code).toBe(0)
    expect(out).toBe(`${sampleMessage.id}\n`)
    expect(body()).toEqual({ ...place, text: 'two words' })
  })

  test.each([[[]], [['--to', 'box', '--all']], [['--channel', 'deploys', '--to', 'box']]])(
    'a message with %j has no one place to go, is exit code 2 and is not sent',
    async (words) => {
      expect(await muster(['message', 'send', ...words, 'x'])).toMatchObject({ code: 2, out: '' })
      expect(hub.asked).toEqual([])
    },
  )

  test('"-" takes the text from stdin', async () => {
    const child = spawn(process.execPath, [main, 'message', 'send', '--all', '-'], { env: environment() })
    child.stdin.end('from\na pipe\n')
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
    expect(body()).toEqual({ to: null, text: 'from\na pipe' })
  })

  test('what an agent wrote is one line of the list and drives no terminal', async () => {
    for (const words of [
      ['message', 'list'],
      ['channel', 'history', 'deploys'],
    ]) {
      const { out, err } = await muster(words)
      expect(out).toContain('box')
      expect(out).toContain('one two')
      expect(out).not.toContain('\u001b')
      expect(err).toContain('--after 1')
    }
  })
})

test('a relative path of a repository is made absolute before it is sent', async () => {
  await muster(['repo', 'add', 'shop', '.'])
  expect(hub.asked[0]?.body).toEqual({ name: 'shop', url: process.cwd() })
})

test('a new token is the only thing on stdout', async () => {
  expect((await muster(['token', 'create', 'ci'])).out).toBe('muster_person_secret\n')
})

test('a token is revoked by its name when one token that still works has it', async () => {
  const id = '0198c5d2-7b1e-7c3a-9f00-1f2e3d4c5b6a'
  hub.tokens = [
    { ...sampleToken, revokedAt: sampleToken.createdAt },
    { ...sampleToken, id },
  ]
  expect((await muster(['token', 'revoke', 'ci'])).code).toBe(0)
  expect(hub.asked.at(-1)).toMatchObject({ method: 'DELETE', path: `/api/v1/tokens/${id}` })
})

test('a name that two tokens share, or none has, revokes nothing', async () => {
  hub.tokens = [sampleToken, { ...sampleToken, id: '0198c5d2-7b1e-7c3a-9f00-1f2e3d4c5b6a' }]
  expect((await muster(['token', 'revoke', 'ci'])).code).toBe(2)
  expect((await muster(['token', 'revoke', 'laptop'])).code).toBe(3)
  expect(hub.asked.map(({ method }) => method)).not.toContain('DELETE')
})

test('a refused field is followed by where the command says what it takes, and not by the schema', async () => {
  hub.refuse('invalid_request')
  const { code, err } = await muster(['task', 'show', 'zzz'])
  expect(code).toBe(2)
  expect(err).toContain('Add --help')
})

test('a dead task says where to read what its command wrote', async () => {
  hub.tasks = [sampleTask({ state: 'dead', ending: 'execution_failed' })]
  const { out } = await muster(['task', 'show', hub.tasks[0]?.short ?? ''])
  expect(out).toContain(`npx muster task log ${hub.tasks[0]?.short}`)
})

test('doctor answers with findings of one shape, within five seconds', async () => {
  const started = Date.now()
  const { out } = await muster(['doctor', '--json'], { MUSTER_HUB: '' })
  const { findings } = JSON.parse(out) as { findings: { id: string; status: string; detail: string }[] }
  expect(Date.now() - started).toBeLessThan(5_000)
  expect(findings.length).toBeGreaterThanOrEqual(15)
  for (const finding of findings) expect(['ok', 'warn', 'fail', 'skip']).toContain(finding.status)
  expect(findings.find(({ id }) => id === 'database')?.status).toBe('skip')
})
