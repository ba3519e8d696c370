import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { GitError } from './git-error.ts'

export type GitOptions = {
  cwd: string
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Both or none; only root may set them. */
  uid?: number
  gid?: number
  stdin?: string | Readable
  env?: Record<string, string>
  maxOutputBytes?: number
  /** Output beyond the limit stops git and is left away instead of being a failure. */
  mayCut?: boolean
  onStderr?: ((text: string) => void) | undefined
  /** Gets the output as it comes; the result then has none. The limit still counts it. */
  onStdout?: ((chunk: Buffer) => void) | undefined
}

export type GitResult = { code: number; stdout: string; stderr: string; cut: boolean }

/**
 * Host git.
 *
 * Contract:
 * - argv is exact; no shell is involved.
 * - nothing of the user's or the machine's git configuration is read: no aliases, hooks, filters, helpers,
 *   and also no credential helpers. SSH keys work through ssh itself, in batch mode: git never asks.
 * - it is only ever run in directories whose `.git` this program wrote. A repository that an agent could
 *   write to is read inside the wall, because a filter in its configuration runs even on `git status`.
 * - on timeout or abort the whole process group is dead before the promise settles.
 */
export type Git = {
  /** Rejects unless git exits 0. */
  run(args: readonly string[], options: GitOptions): Promise<GitResult>
  /** Resolves with any exit code; rejects only when git could not run to its end. */
  attempt(args: readonly string[], options: GitOptions): Promise<GitResult>
}

/** Outputs that are read whole are lists of refs or paths; 64 MiB is about 700 000 paths. */
const defaultMaxOutputBytes = 64 * 1024 * 1024
const keptStderrBytes = 64 * 1024

export async function createGit({ home }: { home: string }): Promise<Git> {
  const environment = await writeHome(home)

  async function attempt(args: readonly string[], options: GitOptions): Promise<GitResult> {
    if (options.signal?.aborted === true)
      throw new GitError('git_aborted', `git ${verb(args)} was not started`)
    const child = spawn('git', args, {
      cwd: options.cwd,
      env: { ...environment, ...options.env },
      detached: true,
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    })
    feed(child, options.stdin)
    return collect(child, args, options)
  }

  async function run(args: readonly string[], options: GitOptions): Promise<GitResult> {
    const result = await attempt(args, options)
    if (result.code !== 0) {
      throw new GitError('git_failed', `git ${verb(args)} failed: ${lastLine(result.stderr)}`, result)
    }
    return result
  }

  return { run, attempt }
}

async function writeHome(home: string): Promise<Record<string, string>> {
  const templates = join(home, 'empty-template')
  await mkdir(templates, { recursive: true, mode: 0o700 })
  const path = join(home, 'gitconfig')
  const draft = `${path}.${process.pid}`
  await writeFile(draft, configuration(templates), { mode: 0o600 })
  await rename(draft, path)
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: home,
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: path,
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
    GIT_OPTIONAL_LOCKS: '0',
  }
}

/**
 * A file and not `-c`, because git clears `-c` from the environment of the upload-pack it starts in a local
 * repository, and the file is inherited.
 */
function configuration(templates: string): string {
  return `[safe]
	directory = *
[core]
	hooksPath = /dev/null
	fsmonitor = false
	symlinks = true
	askPass = true
	quotePath = false
	# Larger files have no line counts and no diff: git needs forty bytes of memory for each line of them, outside any wall.
	bigFileThreshold = 4m
[protocol]
	allow = never
[protocol "file"]
	allow = always
[protocol "https"]
	allow = always
[protocol "ssh"]
	allow = always
[credential]
	helper =
[init]
	templateDir = ${templates}
	defaultBranch = main
	# What this program reads and writes by itself is the layout that every git knows; git 3 starts with another.
	defaultRefFormat = files
	defaultObjectFormat = sha1
[gc]
	auto = 0
[maintenance]
	auto = false
[fetch]
	recurseSubmodules = false
	writeCommitGraph = false
[submodule]
	recurse = false
[advice]
	detachedHead = false
	pushUpdateRejected = false
`
}

function feed(child: ChildProcess, stdin: string | Readable | undefined) {
  if (stdin === undefined || child.stdin === null) return
  // Git may stop reading early (a refused pack); its exit code tells, not the broken pipe.
  child.stdin.on('error', () => {})
  if (typeof stdin === 'string') {
    child.stdin.end(stdin)
    return
  }
  stdin.on('error', () => killGroup(child))
  stdin.pipe(child.stdin)
}

function collect(child: ChildProcess, args: readonly string[], options: GitOptions): Promise<GitResult> {
  const limit = options.maxOutputBytes ?? defaultMaxOutputBytes
  const stdout: Buffer[] = []
  let kept = 0
  let stderr = ''
  let stop: 'timeout' | 'abort' | 'overflow' | undefined

  return new Promise((resolve, reject) => {
    const end = (why: typeof stop) => {
      stop ??= why
      killGroup(child)
    }
    const timer = setTimeout(() => end('timeout'), options.timeoutMs)
    const onAbort = () => end('abort')
    options.signal?.addEventListener('abort', onAbort, { once: true })
    child.stdout?.on('data', (chunk: Buffer) => {
      const room = limit - kept
      if (options.onStdout !== undefined) options.onStdout(chunk)
      else if (room > 0) stdout.push(chunk.subarray(0, room))
      kept += Math.min(room, chunk.length)
      if (chunk.length > room) end('overflow')
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-keptStderrBytes)
      options.onStderr?.(text)
    })
    const settle = () => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
    }
    child.on('error', (error) => {
      settle()
      const hint = 'Install git (Debian: apt-get install git).'
      reject(new GitError('git_failed', `git could not be started: ${error.message}`, { hint }))
    })
    child.on('close', (code) => {
      settle()
      if (stop === 'timeout') {
        const said = `git ${verb(args)} was stopped after ${Math.round(options.timeoutMs / 1000)} s`
        reject(new GitError('git_timed_out', said, { stderr }))
      } else if (stop === 'abort') {
        reject(new GitError('git_aborted', `git ${verb(args)} was stopped on request`, { stderr }))
      } else if (stop === 'overflow' && options.mayCut !== true) {
        reject(new GitError('git_output_too_large', `git ${verb(args)} printed more than ${limit} bytes`))
      } else {
        const cut = stop === 'overflow'
        resolve({
          code: cut ? 0 : (code ?? 128),
          stdout: Buffer.concat(stdout).toString('utf8'),
          stderr,
          cut,
        })
      }
    })
  })
}

function killGroup(child: ChildProcess) {
  if (child.pid === undefined) return
  // Also after git itself has exited: what it started may still hold the pipes.
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

function verb(args: readonly string[]): string {
  const first = args.findIndex((arg, at) => !arg.startsWith('-') && args[at - 1] !== '-c')
  return args[first] ?? 'git'
}

export function lastLine(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.replace(/^(fatal|error): /, '').trim())
    .filter((line) => line !== '')
  return (
    lines.findLast((line) => !/^(hint:|Please make sure|and the repository exists)/.test(line)) ??
    'no message'
  )
}
