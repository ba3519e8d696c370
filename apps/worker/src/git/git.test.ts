import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { GitError, withoutPasswords } from './git-error.ts'
import { readChanges } from './changes.ts'
import { commitAll, newPlace } from './person.fixture.ts'

test('git sees neither the environment of this process nor configuration of the machine', async () => {
  const place = await newPlace()
  process.env['GIT_DIR'] = '/nonexistent'
  try {
    const listed = await place.git.run(['config', '--list', '--show-origin'], {
      cwd: place.root,
      timeoutMs: 5_000,
    })
    const origins = new Set(
      listed.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('\t')[0]),
    )
    expect([...origins]).toEqual([`file:${place.home}/gitconfig`])
  } finally {
    delete process.env['GIT_DIR']
  }
})

test('a command that outlives its limit is dead with everything it started', async () => {
  const place = await newPlace()
  const pidFile = place.at('pid')
  const alias = `alias.hang=!sh -c 'sleep 300 & echo $! > ${pidFile}; wait'`
  const started = performance.now()
  const hung = place.git.run(['-c', alias, 'hang'], { cwd: place.repo, timeoutMs: 300 })
  await expect(hung).rejects.toMatchObject({ code: 'git_timed_out' })
  expect(performance.now() - started).toBeLessThan(3_000)
  const pid = Number(await readFile(pidFile, 'utf8'))
  await sleep(50)
  expect(await isRunning(pid)).toBe(false)
})

async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return status !== '' && !/^State:\s+Z/m.test(status)
}

test('a request to stop ends git, and a command asked for after it never starts', async () => {
  const place = await newPlace()
  const stop = new AbortController()
  const options = { cwd: place.repo, timeoutMs: 20_000, signal: stop.signal }
  const hung = place.git.run(['-c', 'alias.hang=!sleep 300', 'hang'], options)
  setTimeout(() => stop.abort(), 50)
  await expect(hung).rejects.toMatchObject({ code: 'git_aborted' })
  await expect(place.git.run(['status'], options)).rejects.toMatchObject({ code: 'git_aborted' })
})

test('output beyond the limit is a failure, or is cut where that is allowed', async () => {
  const place = await newPlace({ 'big.txt': 'x'.repeat(50_000) })
  const args = ['cat-file', 'blob', 'HEAD:big.txt']
  const options = { cwd: place.repo, timeoutMs: 5_000, maxOutputBytes: 1_000 }
  await expect(place.git.run(args, options)).rejects.toMatchObject({ code: 'git_output_too_large' })
  expect(await place.git.run(args, { ...options, mayCut: true })).toMatchObject({
    cut: true,
    stdout: 'x'.repeat(1_000),
  })
})

test('a failure carries git’s own words, and a missing directory is no crash', async () => {
  const place = await newPlace()
  await mkdir(place.at('empty'))
  await writeFile(place.at('empty/file'), '')
  const options = { cwd: place.at('empty'), timeoutMs: 5_000 }
  await expect(place.git.run(['log'], options)).rejects.toMatchObject({
    code: 'git_failed',
    stderr: /not a git repository/,
  })
  await expect(place.git.run(['log'], { ...options, cwd: place.at('gone') })).rejects.toMatchObject({
    code: 'git_failed',
  })
})

test('a token in an address never reaches a message', () => {
  expect(withoutPasswords("fatal: 'https://ada:s3cret@host/x.git' not found")).toBe(
    "fatal: 'https://***@host/x.git' not found",
  )
})

test('a message with a path or words of any length still fits into the reason of a run', () => {
  const { code, message, hint } = new GitError('nested_repository', `${'p/'.repeat(2_000)} is one.`, {
    hint: 'h'.repeat(5_000),
  })
  expect(`${code}: ${message} ${hint}`.length).toBeLessThanOrEqual(2_000)
  expect(message).toMatch(/^p\/p\/.*…$/)
})

test('a text of many megabytes counts as a file without lines, because git would take forty times its size', async () => {
  const place = await newPlace()
  const commit = await commitAll(place.repo, { 'huge.txt': '\n'.repeat(5 * 1024 * 1024), 'b.txt': 'one\n' })
  const mirror = (await place.mirrors.update({ id: 'r', url: place.repo })).path
  const { changed, diff } = await readChanges(place.git, { mirror, base: place.head, commit })
  expect(changed).toEqual({ files: 2, insertions: 1, deletions: 0 })
  expect(diff.text).toContain('Binary files /dev/null and b/huge.txt differ')
})
