import { PassThrough } from 'node:stream'
import { GitError } from './git-error.ts'
import type { Git, GitOptions } from './git.ts'

export type GitObject = { type: string; body: Buffer }

/** Answers undefined for an object that is not there. Of a larger one, the first `limitBytes` are kept. */
export type ReadObject = (oid: string, limitBytes?: number) => Promise<GitObject | undefined>

type Step = Pick<GitOptions, 'cwd' | 'timeoutMs' | 'signal' | 'env'>

/**
 * Objects of a repository from one `git cat-file`, which is asked again and again: a program to start for each question
 * cost more than the answers. It lives as long as `use` does.
 */
export async function withObjects<T>(
  git: Git,
  step: Step,
  use: (read: ReadObject) => Promise<T>,
): Promise<T> {
  const questions = new PassThrough()
  const answers = createAnswers()
  const done = git.run(['cat-file', '--batch'], { ...step, stdin: questions, onStdout: answers.feed })
  const gone = done.then(() => {
    throw new GitError('git_failed', 'git cat-file ended before it had answered')
  })
  gone.catch(() => undefined)
  const read: ReadObject = (oid, limitBytes = Infinity) => {
    if (!/^[0-9a-f]{40}$/.test(oid)) throw new Error(`${JSON.stringify(oid)} names no object`)
    const answer = answers.next(limitBytes)
    questions.write(`${oid}\n`)
    return answer
  }
  try {
    return await Promise.race([use(read), gone])
  } finally {
    questions.end()
    await done.catch(() => undefined)
  }
}

type Question = { limitBytes: number; answer: (object: GitObject | undefined) => void }
type Body = { type: string; left: number; room: number; kept: Buffer[] }

/** Answers come in the order of the questions: `<oid> <type> <size>`, that many bytes and a line break; or `<oid> missing`. */
export function createAnswers() {
  const waiting: Question[] = []
  let head = ''
  let body: Body | undefined

  function begin(line: string): Body | undefined {
    const [, type, size] = /^[0-9a-f]{40} (\w+) (\d+)$/.exec(line) ?? []
    if (type !== undefined)
      return {
        type,
        left: Number(size) + 1,
        room: Math.min(Number(size), waiting[0]?.limitBytes ?? 0),
        kept: [],
      }
    waiting.shift()?.answer(undefined)
    return undefined
  }

  /** Answers where the next piece begins. */
  function takeHead(chunk: Buffer, at: number): number {
    const end = chunk.indexOf('\n', at)
    head += chunk.toString('latin1', at, end < 0 ? chunk.length : end)
    if (end < 0) return chunk.length
    body = begin(head)
    head = ''
    return end + 1
  }

  function takeBody(into: Body, chunk: Buffer, at: number): number {
    const piece = chunk.subarray(at, at + into.left)
    if (into.room > 0) into.kept.push(piece.subarray(0, into.room))
    into.room -= Math.min(into.room, piece.length)
    into.left -= piece.length
    if (into.left === 0) {
      body = undefined
      waiting.shift()?.answer({ type: into.type, body: Buffer.concat(into.kept) })
    }
    return at + piece.length
  }

  return {
    next: (limitBytes: number) =>
      new Promise<GitObject | undefined>((answer) => waiting.push({ limitBytes, answer })),
    feed(chunk: Buffer): void {
      for (let at = 0; at < chunk.length;)
        at = body === undefined ? takeHead(chunk, at) : takeBody(body, chunk, at)
    },
  }
}
