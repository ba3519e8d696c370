import { closeSync, fchmodSync, fstatSync, readdirSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createPipes, type Pipe } from './pipes.ts'

async function place() {
  const dir = await mkdtemp(join(tmpdir(), 'pipes-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const pipes = createPipes('/usr/bin/mkfifo')
  let taken = 0
  return { dir, takeTwo: () => pipes.takeTwo(join(dir, String((taken += 1)))) }
}

/** Which pipe it is, and what came out of it. */
async function through(pipe: Pipe, text: string): Promise<{ inode: number; read: string }> {
  const { ino: inode } = fstatSync(pipe.theirs)
  let read = ''
  pipe.ours.setEncoding('utf8').on('data', (chunk: string) => (read += chunk))
  if (text !== '') writeSync(pipe.theirs, text)
  closeSync(pipe.theirs)
  await once(pipe.ours, 'close')
  return { inode, read }
}

test('two commands after each other have the same pipes, and two at once never', async () => {
  const { dir, takeTwo } = await place()
  const [out, err] = await takeTwo()
  const others = await takeTwo()
  expect(readdirSync(dir)).toEqual([])
  const first = await Promise.all([through(out, 'to out'), through(err, 'to err')])
  expect(first.map(({ read }) => read)).toEqual(['to out', 'to err'])
  const second = await Promise.all(others.map((pipe) => through(pipe, '')))
  expect(new Set([...first, ...second].map(({ inode }) => inode)).size).toBe(4)
  out.giveBack()
  err.giveBack()
  const third = await Promise.all((await takeTwo()).map((pipe) => through(pipe, '')))
  expect(third.map(({ inode }) => inode)).toEqual(first.map(({ inode }) => inode))
})

test('what an earlier command wrote and nobody read is not there for the next', async () => {
  const { takeTwo } = await place()
  const pipes = await takeTwo()
  for (const { ours, theirs } of pipes) {
    writeSync(theirs, 'secret')
    closeSync(theirs)
    ours.destroy()
    await once(ours, 'close')
  }
  for (const pipe of pipes) pipe.giveBack()
  const again = await Promise.all((await takeTwo()).map((pipe) => through(pipe, 'new')))
  expect(again.map(({ read }) => read)).toEqual(['new', 'new'])
})

test('a pipe that a command closed to others is not used again', async () => {
  const { takeTwo } = await place()
  const pipes = await takeTwo()
  const inodes = pipes.map(({ theirs }) => fstatSync(theirs).ino)
  fchmodSync(pipes[0].theirs, 0o600)
  for (const pipe of pipes) await through(pipe, '')
  for (const pipe of pipes) pipe.giveBack()
  const next = (await takeTwo()).map(({ theirs }) => fstatSync(theirs))
  expect(next.map(({ ino }) => ino)).toContain(inodes[1])
  // By its mode and not by its number, which a new pipe may get again.
  expect(next.map(({ mode }) => mode & 0o777)).toEqual([0o622, 0o622])
})
