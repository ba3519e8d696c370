import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAnswers, withObjects } from './objects.ts'
import { newPlace, plainGit, plainGitWith } from './person.fixture.ts'

const oid = 'a'.repeat(40)

test('answers are what was written, in the order of the questions, however the bytes arrive', async () => {
  const object = fc.record({
    body: fc.uint8Array({ maxLength: 30 }),
    limit: fc.nat(40),
    isThere: fc.boolean(),
  })
  const property = fc.asyncProperty(
    fc.array(object, { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
    async (objects, sizes) => {
      const answers = createAnswers()
      const asked = objects.map(({ limit }) => answers.next(limit))
      const bytes = Buffer.concat(
        objects.flatMap(({ body, isThere }) =>
          isThere
            ? [Buffer.from(`${oid} blob ${body.length}\n`), body, Buffer.from('\n')]
            : [Buffer.from(`${oid} missing\n`)],
        ),
      )
      for (let at = 0, n = 0; at < bytes.length; n += 1) {
        const size = sizes[n % sizes.length] as number
        answers.feed(bytes.subarray(at, at + size))
        at += size
      }
      expect(await Promise.all(asked)).toEqual(
        objects.map(({ body, limit, isThere }) =>
          isThere ? { type: 'blob', body: Buffer.from(body.subarray(0, limit)) } : undefined,
        ),
      )
    },
  )
  await fc.assert(property)
})

test('one git answers many questions at once, also about what is not there', async () => {
  const place = await newPlace()
  const texts = Array.from({ length: 50 }, (_, at) => `${at}\n\0`.repeat(at))
  const blobs = texts.map((text) => plainGitWith(place.repo, text, 'hash-object', '-w', '--stdin'))
  const step = { cwd: place.repo, timeoutMs: 20_000 }
  const read = await withObjects(place.git, step, (ask) =>
    Promise.all([...blobs, 'f'.repeat(40)].map((blob) => ask(blob))),
  )
  expect(read.map((found) => found?.body.toString())).toEqual([...texts, undefined])
})

test('a git that cannot answer, or is stopped, ends the conversation', async () => {
  const place = await newPlace()
  const ask = (cwd: string, signal?: AbortSignal) =>
    withObjects(place.git, { cwd, timeoutMs: 20_000, signal }, async (read) => {
      await read(place.head)
      return new Promise(() => undefined)
    })
  await expect(ask(place.root)).rejects.toMatchObject({ code: 'git_failed' })
  await expect(ask(place.repo, AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'git_aborted' })
})

test('what was asked fails with its own error, and no git stays behind', async () => {
  const place = await newPlace()
  const step = { cwd: place.repo, timeoutMs: 20_000 }
  const failing = withObjects(place.git, step, async (read) => {
    await read(place.head)
    throw new Error('not this one')
  })
  await expect(failing).rejects.toThrow('not this one')
  expect(await plainGit(place.repo, 'fsck')).toBe('')
})
