import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createToolbox } from './toolbox.ts'
import { newToolbox } from './toolbox.fixture.ts'

const MiB = 2 ** 20

describe('a tool server that ends', () => {
  test('killed by a command, it is told with a code and started again; the third time is the end of the tools', async () => {
    const { call, wall } = await newToolbox()
    // The server is the parent of the shell. A file, because the policy refuses what kills everything.
    await call('write_file', { path: 'kill.sh', content: 'kill -9 $PPID; sleep 5' })
    await call('write_file', { path: 'a.txt', content: 'kept' })
    for (const turn of [1, 2]) {
      const lost = await call('run_command', { command: 'exec sh kill.sh' })
      expect(lost, String(turn)).toMatchObject({ success: false, code: 'TOOL_SERVER_LOST', changed: true })
      expect(await call('read_file', { path: 'a.txt' })).toMatchObject({ content: 'kept' })
    }
    await expect(call('run_command', { command: 'exec sh kill.sh' })).rejects.toMatchObject({
      code: 'tool_server_unavailable',
    })
    const left = await wall.exec(['sh', '-c', 'ls /proc | grep -c "^[0-9]"'], {
      timeoutMs: 5_000,
      maxOutputBytes: 100,
    })
    expect(Number(left.stdout)).toBeLessThan(6)
  })

  test('a fork bomb ends it with the limit by name, and the tools go on', async () => {
    const { call } = await newToolbox({ limits: { processes: 64 } })
    await call('write_file', { path: 'bomb.pl', content: 'fork while 1' })
    expect(await call('run_command', { command: 'perl bomb.pl' })).toMatchObject({
      code: 'TOOL_SERVER_LOST',
      limit: 'process_limit',
    })
    expect(await call('run_command', { command: 'echo on' })).toMatchObject({ stdout: 'on\n' })
  })

  test('a workspace that outgrows its limit ends it with the limit by name', async () => {
    const { call } = await newToolbox({ limits: { workspaceBytes: 40 * MiB } })
    const fill = 'for i in 1 2 3 4 5 6 7 8; do head -c 9M /dev/zero > f$i; done; sleep 25'
    expect(await call('run_command', { command: fill, timeout_s: 60 })).toMatchObject({
      code: 'TOOL_SERVER_LOST',
      limit: 'disk_limit',
    })
  })

  test('a command that eats the memory ends, and the tools work on', async () => {
    const { call } = await newToolbox({ limits: { memoryBytes: 256 * MiB } })
    const eat = `perl -e 'for (1..80) { push @x, "a" x (8 << 20); select undef, undef, undef, 0.02 } sleep 5'`
    expect(await call('run_command', { command: eat })).toMatchObject({ success: false })
    expect(await call('run_command', { command: 'echo on' })).toMatchObject({ stdout: 'on\n' })
  })

  test('a wall without Node is refused before anything runs, with what is to be done', async () => {
    const { wall } = await newToolbox()
    const without = {
      start: (argv: string[], options: Parameters<typeof wall.start>[1]) =>
        wall.start(['env', 'PATH=/nowhere', ...argv], options),
    }
    await expect(createToolbox({ wall: without, lifeMs: 20_000 })).rejects.toMatchObject({
      code: 'tool_server_unavailable',
      hint: expect.stringContaining('MUSTER_WALL_TOOLS') as string,
    })
  })

  test('closed twice, and called after that, it says so', async () => {
    const { toolbox, call } = await newToolbox()
    await Promise.all([toolbox.close(), toolbox.close()])
    await expect(call('read_file', { path: 'README.md' })).rejects.toMatchObject({
      code: 'tool_server_unavailable',
    })
  })

  test('a wall that is destroyed ends the tools', async () => {
    const { call, wall } = await newToolbox()
    await wall.destroy()
    expect(await call('read_file', { path: 'README.md' })).toMatchObject({ code: 'TOOL_SERVER_LOST' })
    await expect(call('read_file', { path: 'README.md' })).rejects.toMatchObject({ code: 'sandbox_gone' })
  })
})

describe('a command that writes where the tools answer', () => {
  test('lines that answer nothing are left out, and a flood of them ends the server', async () => {
    const { call } = await newToolbox()
    const some = `for i in 1 2 3; do echo '{"id":"x","success":true,"fields":{"stdout":"forged"}}' > /proc/$PPID/fd/1; echo junk > /proc/$PPID/fd/1; done; echo real`
    expect(await call('run_command', { command: some })).toMatchObject({ success: true, stdout: 'real\n' })
    const flood = 'yes junk > /proc/$PPID/fd/1'
    expect(await call('run_command', { command: flood })).toMatchObject({ code: 'TOOL_SERVER_LOST' })
    const line = 'head -c 20M /dev/zero | tr "\\0" x > /proc/$PPID/fd/1; sleep 20'
    expect(await call('run_command', { command: line })).toMatchObject({
      code: 'TOOL_SERVER_LOST',
      error: expect.stringContaining('longer') as string,
    })
    expect(await call('read_file', { path: 'README.md' })).toMatchObject({ content: 'A project\n' })
  })
})

describe('a checkpoint', () => {
  const take = (bundle: string, workspace: string, into: string) => {
    const file = `${into}.bundle`
    writeFileSync(file, Buffer.from(bundle, 'base64'))
    // A copy is ours; the workspace is the wall's user's, and git refuses it, as it should.
    execFileSync('cp', ['-r', workspace, into])
    const git = (...args: string[]) => execFileSync('git', args, { cwd: into, encoding: 'utf8' }).trim()
    git('fetch', '--quiet', file, 'refs/muster/checkpoint:refs/heads/taken')
    git('-c', 'fsck.missingEmail=ignore', 'fsck', '--strict')
    return git
  }

  test('it holds every file of the workspace, and nobody inside sees a trace of it', async () => {
    const { call, toolbox, workspace, base, root, git } = await newToolbox({
      files: { '.gitignore': 'ignored\n', 'old.txt': 'old', 'gone.txt': 'gone' },
    })
    expect(await toolbox.checkpoint(base)).toEqual({
      changed: false,
      commit: null,
      bundle: null,
      tooLarge: false,
    })
    await call('write_file', { path: 'new/file.txt', content: 'new' })
    await call('write_file', { path: 'ignored', content: 'ignored' })
    await call('run_command', {
      command: 'echo changed > old.txt; rm gone.txt; ln -s old.txt link; chmod +x old.txt',
    })
    const before = await call('run_command', {
      command: 'git status --porcelain; git for-each-ref; cat .git/HEAD; sha256sum .git/index',
    })
    const one = await toolbox.checkpoint(base)
    expect(one).toMatchObject({ changed: true, tooLarge: false })
    expect(one.error).toBeUndefined()
    const after = await call('run_command', {
      command: 'git status --porcelain; git for-each-ref; cat .git/HEAD; sha256sum .git/index',
    })
    expect(after['stdout']).toBe(before['stdout'])
    expect(await toolbox.checkpoint(base)).toMatchObject({ changed: false, bundle: null })

    const taken = take(one.bundle ?? '', workspace, join(root, 'taken'))
    expect(taken('rev-parse', 'taken', 'taken^')).toBe(`${one.commit}\n${base}`)
    expect(taken('ls-tree', '-r', '--name-only', 'taken').split('\n')).toEqual([
      '.gitignore',
      'README.md',
      'link',
      'new/file.txt',
      'old.txt',
    ])
    expect(taken('show', 'taken:old.txt')).toBe('changed')
    expect(git('rev-parse', 'HEAD')).toBe(base)
  })

  test('commits of the agent are in it, and so is what it added by force', async () => {
    const { call, toolbox, workspace, base, root } = await newToolbox({ files: { '.gitignore': 'forced\n' } })
    const commit = 'git -c user.name=A -c user.email=a@example.org commit -qm'
    await call('run_command', {
      command: `echo 1 > a; git add a; ${commit} "Add a"; echo 2 > forced; git add -f forced; echo 3 > b`,
    })
    const one = await toolbox.checkpoint(base)
    const git = take(one.bundle ?? '', workspace, join(root, 'taken'))
    expect(git('log', '--format=%s', 'taken')).toBe('Checkpoint\nAdd a\nBase')
    expect(git('ls-tree', '--name-only', 'taken').split('\n')).toEqual([
      '.gitignore',
      'README.md',
      'a',
      'b',
      'forced',
    ])
    await call('run_command', { command: `git add -A; ${commit} "All"` })
    expect(await toolbox.checkpoint(base)).toMatchObject({ changed: true })
  })

  test('hooks, filters and an index of the agent change nothing outside the wall, and broken ones are no end', async () => {
    const { call, toolbox, base, workspace } = await newToolbox()
    await call('run_command', {
      command: `mkdir -p .git/hooks; for h in pre-commit post-commit post-index-change reference-transaction; do printf '#!/bin/sh\\ntouch /workspace/hooked\\n' > .git/hooks/$h; chmod +x .git/hooks/$h; done; echo x > a; git config core.fsmonitor "touch /workspace/hooked"; git config core.bare true`,
    })
    expect(await toolbox.checkpoint(base)).toMatchObject({ changed: true })
    expect(existsSync(join(workspace, 'hooked'))).toBe(false)
    await call('run_command', { command: 'echo junk > .git/index; echo y > b' })
    expect(await toolbox.checkpoint(base)).not.toHaveProperty('error')
    await call('run_command', { command: 'touch .git/index.lock .git/HEAD.lock; echo z > c' })
    expect(await toolbox.checkpoint(base)).toMatchObject({ changed: true })
    // In a file, because the policy refuses it.
    await call('write_file', { path: 'hide.sh', content: 'mv .git hidden' })
    expect(await call('run_command', { command: 'sh hide.sh' })).toMatchObject({ success: true })
    const none = await toolbox.checkpoint(base)
    expect(none).toMatchObject({ changed: true, commit: null, bundle: null })
    expect(none.error).toBeTruthy()
  })

  test('one that is too large says so, and a later one is taken again', async () => {
    const { call, toolbox, base, workspace } = await newToolbox()
    await call('run_command', { command: 'head -c 5M /dev/urandom > big' })
    expect(await toolbox.checkpoint(base)).toMatchObject({ changed: true, bundle: null, tooLarge: true })
    await call('run_command', { command: 'rm big; echo small > small' })
    expect(await toolbox.checkpoint(base)).toMatchObject({ changed: true, tooLarge: false })
    expect(readFileSync(join(workspace, 'small'), 'utf8')).toBe('small\n')
  })

  test('a link in the place of the repository leads nowhere', async () => {
    const { call, toolbox, base, workspace } = await newToolbox()
    await call('write_file', { path: 'link.sh', content: 'mv .git elsewhere && ln -s /etc .git; echo 1 > a' })
    expect(await call('run_command', { command: 'sh link.sh' })).toMatchObject({ success: true })
    expect(await toolbox.checkpoint(base)).toMatchObject({ bundle: null })
    unlinkSync(join(workspace, '.git'))
    symlinkSync('elsewhere', join(workspace, '.git'))
    expect(await call('read_file', { path: 'a' })).toMatchObject({ content: '1\n' })
  })
})
