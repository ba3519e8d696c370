import { execFileSync } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { newToolbox } from './toolbox.fixture.ts'

describe('files', () => {
  test('a file that is written can be read, and a command sees it', async () => {
    const { call } = await newToolbox()
    expect(await call('write_file', { path: 'src/deep/a.txt', content: 'one\ntwo\n' })).toEqual({
      success: true,
      path: 'src/deep/a.txt',
      bytes: 8,
      created: true,
      changed: true,
    })
    expect(await call('read_file', { path: '/workspace/src/deep/a.txt' })).toEqual({
      success: true,
      path: 'src/deep/a.txt',
      content: 'one\ntwo\n',
      start_line: 1,
      end_line: 2,
      total_lines: 2,
    })
    const ran = await call('run_command', { command: 'cat a.txt; echo err > /dev/stderr', cwd: 'src/deep' })
    expect(ran).toMatchObject({ success: true, exit_code: 0, stdout: 'one\ntwo\n', stderr: 'err\n' })
  })

  test('a part of a file is read by its lines, and a long one is cut at a line and says where it goes on', async () => {
    const long = Array.from({ length: 5_000 }, (_, at) => `line ${at + 1}`).join('\n')
    const { call } = await newToolbox({
      files: { 'long.txt': long, 'one-line.json': 'é'.repeat(40_000), 'empty.txt': '' },
      options: { maxObservationChars: 4_000 },
    })
    expect(await call('read_file', { path: 'long.txt', start_line: 4_998 })).toMatchObject({
      content: 'line 4998\nline 4999\nline 5000',
      end_line: 5_000,
      total_lines: 5_000,
    })
    const first = await call('read_file', { path: 'long.txt' })
    expect(first).toMatchObject({ success: true, truncated: true, total_lines: 5_000 })
    const next = await call('read_file', { path: 'long.txt', start_line: first['next_start_line'] })
    expect(String(next['content']).startsWith(`line ${String(first['next_start_line'])}\n`)).toBe(true)
    expect(JSON.stringify(first).length).toBeLessThanOrEqual(4_000)
    const cut = await call('read_file', { path: 'one-line.json' })
    expect(cut).toMatchObject({ success: true, truncated: true })
    expect(String(cut['content'])).toMatch(/^é+$/)
    expect(await call('read_file', { path: 'empty.txt' })).toMatchObject({
      success: true,
      content: '',
      total_lines: 0,
    })
    expect(await call('read_file', { path: 'long.txt', start_line: 6_000 })).toMatchObject({
      success: false,
      code: 'LINE_OUT_OF_RANGE',
    })
  })

  test('what is no text, no file or not there is refused by its own code', async () => {
    const { call } = await newToolbox({
      files: { 'image.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]), 'dir/x': 'x' },
      prepare: (workspace) => execFileSync('mkfifo', [join(workspace, 'pipe')]),
    })
    const codes = [
      ['read_file', { path: 'image.png' }, 'BINARY_FILE'],
      ['edit_file', { path: 'image.png', old: 'P', new: 'Q' }, 'BINARY_FILE'],
      ['read_file', { path: 'dir' }, 'IS_DIRECTORY'],
      ['write_file', { path: 'dir', content: '' }, 'IS_DIRECTORY'],
      ['write_file', { path: '.', content: '' }, 'IS_DIRECTORY'],
      ['read_file', { path: 'pipe' }, 'NOT_A_FILE'],
      ['write_file', { path: 'pipe', content: '' }, 'NOT_A_FILE'],
      ['read_file', { path: 'none' }, 'NOT_FOUND'],
      ['read_file', { path: 'dir/x/y' }, 'NOT_A_DIRECTORY'],
      ['write_file', { path: 'dir/x/y', content: '' }, 'NOT_A_DIRECTORY'],
      ['list_directory', { path: 'dir/x' }, 'NOT_A_DIRECTORY'],
      ['run_command', { command: 'true', cwd: 'none' }, 'NOT_FOUND'],
      ['run_command', { command: 'true', cwd: 'dir/x' }, 'NOT_A_DIRECTORY'],
    ] as const
    for (const [name, args, code] of codes) {
      expect(await call(name, args), `${name} ${JSON.stringify(args)}`).toMatchObject({
        success: false,
        code,
      })
    }
  })

  test('a script that is written anew stays executable, and the same content is no change', async () => {
    const { call } = await newToolbox({ files: { 'run.sh': '#!/bin/sh\necho one\n' } })
    await call('run_command', { command: 'chmod 755 run.sh' })
    await call('write_file', { path: 'run.sh', content: '#!/bin/sh\necho two\n' })
    expect(await call('run_command', { command: './run.sh' })).toMatchObject({ stdout: 'two\n' })
    const again = await call('write_file', { path: 'run.sh', content: '#!/bin/sh\necho two\n' })
    expect(again).toEqual({ success: true, path: 'run.sh', bytes: 19, unchanged: true })
  })

  test('an edit replaces what is there once, and says what is wrong otherwise', async () => {
    const { call, workspace } = await newToolbox({
      files: {
        'a.js': 'function a() {\n\treturn 1\n}\nfunction b() {\n\treturn 1\n}\n',
        'crlf.txt': 'one\r\ntwo\r\n',
        'latin.txt': Buffer.from([0x61, 0xe9, 0x62]),
      },
    })
    const edit = (path: string, old: string, text: string, more = {}) =>
      call('edit_file', { path, old, new: text, ...more })
    expect(await edit('a.js', 'return 1', 'return 2')).toMatchObject({ code: 'MANY_MATCHES', matches: 2 })
    expect(await edit('a.js', 'function b() {\n\treturn 1', 'function b() {\n\treturn $& 2')).toMatchObject({
      success: true,
      replacements: 1,
      line: 4,
      changed: true,
    })
    expect(readFileSync(join(workspace, 'a.js'), 'utf8')).toContain('function b() {\n\treturn $& 2\n}')
    const spaces = await edit('a.js', 'function a() {\n    return 1', 'x')
    expect(spaces).toMatchObject({ code: 'NO_MATCH', line: 1, actual: 'function a() {\n\treturn 1' })
    expect(spaces.error).toContain('tabs and spaces')
    expect((await edit('crlf.txt', 'one\ntwo', 'x')).error).toContain('\\r\\n')
    expect((await edit('a.js', 'function a() {\n  throw 1', 'x')).error).toContain('line 1')
    expect(await edit('a.js', 'nowhere', 'x')).toMatchObject({ code: 'NO_MATCH', matches: 0 })
    expect(await edit('a.js', 'function', 'async function', { all: true })).toMatchObject({ replacements: 2 })
    await edit('latin.txt', 'a', 'A')
    expect(readFileSync(join(workspace, 'latin.txt'))).toEqual(Buffer.from([0x41, 0xe9, 0x62]))
  })

  test('a listing has every name but not what is in build folders, and the top of a tree that is too large', async () => {
    const many = Object.fromEntries(Array.from({ length: 700 }, (_, at) => [`many/f${at}`, '']))
    const { call } = await newToolbox({
      files: { 'src/a/b/c.ts': '', 'node_modules/x/index.js': '', ...many },
      prepare: (workspace) => symlinkSync('src', join(workspace, 'link')),
      options: { maxObservationChars: 40_000 },
    })
    expect(await call('list_directory', {})).toMatchObject({
      entries: ['.git/', 'README.md', 'link -> src', 'many/', 'node_modules/', 'src/'],
    })
    expect(await call('list_directory', { path: 'src', depth: 5 })).toMatchObject({
      entries: ['a/', 'a/b/', 'a/b/c.ts'],
    })
    const all = await call('list_directory', { depth: 2 })
    expect(all).toMatchObject({ success: true, truncated: true })
    const entries = all['entries'] as string[]
    expect(entries.length).toBe(500)
    expect(entries).toContain('src/')
    expect(entries).not.toContain('node_modules/x/')
  })

  test('a search finds lines by expression, takes a broken one as it stands, and ends one that never would', async () => {
    const { call } = await newToolbox({
      files: {
        'src/a.ts': 'const a = 1\nfoo(\n',
        'src/b.py': 'a = 1\n',
        'node_modules/x.ts': 'const a = 1',
        'bin.dat': Buffer.from('const a = 1\0'),
        'long.txt': `${'x'.repeat(5_000)}needle${'y'.repeat(5_000)}`,
        'slow.txt': `${'a'.repeat(40)}b`,
        'many.txt': 'hit\n'.repeat(80),
      },
    })
    expect(await call('search_files', { pattern: '^const \\w+ = \\d$' })).toMatchObject({
      success: true,
      hits: [{ path: 'src/a.ts', line: 1, text: 'const a = 1' }],
    })
    expect(await call('search_files', { pattern: 'a = 1', glob: '*.py' })).toMatchObject({
      hits: [{ path: 'src/b.py', line: 1, text: 'a = 1' }],
    })
    expect(await call('search_files', { pattern: 'foo(', path: 'src/a.ts' })).toMatchObject({
      literal: true,
      hits: [{ path: 'src/a.ts', line: 2, text: 'foo(' }],
    })
    const long = await call('search_files', { pattern: 'needle' })
    const [hit] = long['hits'] as { text: string }[]
    expect(hit?.text).toContain('needle')
    expect(hit?.text.length).toBeLessThan(210)
    expect(await call('search_files', { pattern: 'hit' })).toMatchObject({ truncated: true })
    expect(await call('search_files', { pattern: '^(a+)+$' })).toMatchObject({
      success: true,
      timed_out: true,
    })
    expect(await call('search_files', { pattern: 'nowhere' })).toMatchObject({ success: true, hits: [] })
  })
})

describe('paths that lead out', () => {
  test('every way out is refused by its code, and nothing outside changes; the ways inside work', async () => {
    const { call, workspace } = await newToolbox({
      files: { 'src/a.txt': 'inside' },
      prepare: (workspace) => {
        symlinkSync('/etc', join(workspace, 'etc'))
        symlinkSync('/etc/passwd', join(workspace, 'passwd'))
        symlinkSync('/tmp/new', join(workspace, 'dangling'))
        symlinkSync('..', join(workspace, 'up'))
        symlinkSync('/proc/self/root', join(workspace, 'root'))
        symlinkSync('loop', join(workspace, 'loop'))
        symlinkSync('src', join(workspace, 'inside'))
        symlinkSync('src/a.txt', join(workspace, 'a-link'))
        symlinkSync('.git', join(workspace, 'git-link'))
      },
    })
    const outside = 'PATH_OUTSIDE_WORKSPACE'
    const link = 'SYMLINK_OUTSIDE_WORKSPACE'
    const read = [
      ['../etc/passwd', outside],
      ['/etc/passwd', outside],
      ['src/../../etc/passwd', outside],
      ['/workspace/../etc/passwd', outside],
      ['/workspace-other/x', outside],
      ['~/x', 'NOT_FOUND'],
      ['etc/passwd', link],
      ['passwd', link],
      ['dangling', link],
      ['up/etc/passwd', link],
      ['root/etc/passwd', link],
      ['loop', 'SYMLINK_LOOP'],
      ['a\0b', 'INVALID_PATH'],
      ['x/'.repeat(3_000), 'INVALID_PATH'],
    ] as const
    for (const [path, code] of read) {
      expect(await call('read_file', { path }), path).toMatchObject({ success: false, code })
    }
    const write = [
      ['../x', outside],
      ['/tmp/x', outside],
      ['etc/x', link],
      ['dangling', link],
      ['dangling/x', link],
      ['up/tmp/x', link],
      ['.git/hooks/pre-commit', 'PATH_PROTECTED'],
      ['src/../.git/config', 'PATH_PROTECTED'],
      ['git-link/config', 'PATH_PROTECTED'],
      ['sub/.GIT/config', 'PATH_PROTECTED'],
    ] as const
    for (const [path, code] of write) {
      expect(await call('write_file', { path, content: 'x' }), path).toMatchObject({ success: false, code })
    }
    for (const name of ['list_directory', 'search_files']) {
      expect(await call(name, { path: 'etc', pattern: 'root' }), name).toMatchObject({ success: false })
    }
    expect(await call('list_directory', { path: 'etc' })).toMatchObject({ code: link })
    expect(await call('search_files', { path: 'up', pattern: 'root' })).toMatchObject({ code: link })
    expect(await call('run_command', { command: 'pwd', cwd: '/etc' })).toMatchObject({ code: outside })
    expect(await call('run_command', { command: 'pwd', cwd: 'etc' })).toMatchObject({ code: link })
    expect(await call('run_command', { command: 'ls /tmp' })).toMatchObject({
      stdout: expect.not.stringMatching(/new|^x$/m) as string,
    })

    expect(await call('read_file', { path: 'inside/a.txt' })).toMatchObject({ content: 'inside' })
    expect(await call('write_file', { path: 'a-link', content: 'through' })).toMatchObject({ success: true })
    expect(readFileSync(join(workspace, 'src/a.txt'), 'utf8')).toBe('through')
    expect(await call('read_file', { path: '.git/HEAD' })).toMatchObject({ success: true })
  })

  test('a search through the whole workspace follows no link out of it', async () => {
    const { call } = await newToolbox({ prepare: (workspace) => symlinkSync('/etc', join(workspace, 'etc')) })
    expect(await call('search_files', { pattern: 'agent' })).toMatchObject({ hits: [] })
    expect(await call('search_files', { pattern: 'project' })).toMatchObject({
      hits: [{ path: 'README.md' }],
    })
  })

  test('a link that is put into a path while files are written and read never leads out', async () => {
    const { call, wall } = await newToolbox({ files: { 'dir/file': 'inside' } })
    await call('run_command', { command: 'mkdir /tmp/out; printf outside > /tmp/out/file' })
    // Another command of the same wall, which the tools cannot end: an agent's own process could do less.
    const stop = new AbortController()
    const swap = 'while :; do mv dir real; ln -s /tmp/out dir; rm -f dir; mv real dir; done 2>/dev/null'
    const limits = { timeoutMs: 100_000, maxOutputBytes: 1_000, signal: stop.signal }
    const swapping = wall.exec(['sh', '-c', swap], limits)
    const seen = new Set<string>()
    for (let turn = 0; turn < 400 || (seen.size < 2 && turn < 5_000); turn += 1) {
      const written = await call('write_file', { path: 'dir/file', content: `t${turn}` })
      const read = await call('read_file', { path: 'dir/file' })
      for (const each of [written, read]) seen.add(each.code ?? 'ok')
      if (read.success) expect(read['content']).toMatch(/^(inside|t\d+)$/)
    }
    const known = [
      'ok',
      'NOT_FOUND',
      'NOT_A_DIRECTORY',
      'NOT_A_FILE',
      'PATH_CHANGED',
      'SYMLINK_OUTSIDE_WORKSPACE',
    ]
    expect([...seen].filter((code) => !known.includes(code))).toEqual([])
    expect(seen).toContain('ok')
    expect(await call('run_command', { command: 'cat /tmp/out/file; ls /tmp/out' })).toMatchObject({
      stdout: 'outsidefile\n',
    })
    // The positive control: whoever writes by the path alone is led out.
    const naive =
      'for i in $(seq 1 20000); do echo led > dir/file; grep -q led /tmp/out/file && break; done 2>/dev/null'
    await call('run_command', { command: `${naive}; true`, timeout_s: 60 })
    expect(await call('run_command', { command: 'cat /tmp/out/file' })).toMatchObject({ stdout: 'led\n' })
    stop.abort()
    await swapping
  })
})

describe('commands', () => {
  test('a failed command, its output and its signal are told, and output is cut in the middle', async () => {
    const { call } = await newToolbox()
    expect(await call('run_command', { command: 'echo out; echo err >&2; exit 3' })).toMatchObject({
      success: false,
      code: 'COMMAND_FAILED',
      exit_code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
      timed_out: false,
      changed: true,
    })
    expect(await call('run_command', { command: 'kill -SEGV $$' })).toMatchObject({ signal: 'SIGSEGV' })
    const flood = await call('run_command', { command: 'echo first; yes é | head -c 300M; echo last' })
    expect(flood).toMatchObject({ success: true, truncated: true })
    expect(String(flood['stdout'])).toMatch(/^first\n(é\n)+.*bytes left out.*last\n$/s)
    expect(String(flood['stdout'])).not.toContain('\ufffd')
    expect(JSON.stringify(flood).length).toBeLessThanOrEqual(16_000)
  })

  test('a command that takes too long is asked, then killed with everything it started, however that hid', async () => {
    const { call, workspace } = await newToolbox()
    const polite = await call('run_command', {
      command: 'trap "echo tidy > tidy; exit 0" TERM; while :; do sleep 0.05; done',
      timeout_s: 1,
    })
    expect(polite).toMatchObject({ success: false, code: 'COMMAND_TIMED_OUT', timed_out: true })
    expect(readFileSync(join(workspace, 'tidy'), 'utf8')).toBe('tidy\n')
    const stubborn = `
      loop='trap "" TERM HUP INT; while :; do date > alive-$0; sleep 0.05; done'
      setsid sh -c "$loop" 1 & (setsid sh -c "$loop" 2 &) & nohup sh -c "$loop" 3 > /dev/null 2>&1 &
      perl -e 'use POSIX; if (!fork) { POSIX::setsid(); if (!fork) { $SIG{TERM} = "IGNORE"; while (1) { open F, ">", "alive-4"; close F; select undef, undef, undef, 0.05 } } exit } sleep 100' &
      trap "" TERM; while :; do sleep 0.05; done`
    // A shell that gets its text from a value is refused, so a file holds it.
    await call('write_file', { path: 'stubborn.sh', content: stubborn })
    const killed = await call('run_command', { command: 'bash stubborn.sh', timeout_s: 2 })
    expect(killed).toMatchObject({ code: 'COMMAND_TIMED_OUT', timed_out: true })
    expect(Number(killed['ended_background_processes'])).toBeGreaterThanOrEqual(4)
    const gone = await call('run_command', {
      command:
        'ls alive-*; rm alive-*; sleep 0.5; ls alive-* 2>/dev/null; ps ax 2>/dev/null | grep -c "[l]oop"',
    })
    expect(gone['stdout']).toBe('alive-1\nalive-2\nalive-3\nalive-4\n0\n')
  })

  test('what a command leaves in the background ends with it, and does not hold its answer', async () => {
    const { call } = await newToolbox()
    const started = performance.now()
    const ran = await call('run_command', { command: 'sleep 60 & (setsid sleep 60 &) ; echo done' })
    expect(ran).toMatchObject({ success: true, stdout: 'done\n' })
    expect(Number(ran['ended_background_processes'])).toBeGreaterThanOrEqual(1)
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  test('a refused command does not run, and the wall would have held it all the same', async () => {
    const { call, workspace } = await newToolbox()
    const refused = await call('run_command', { command: 'touch ran; sudo id' })
    expect(refused).toMatchObject({ success: false, code: 'COMMAND_BLOCKED', rule: 'privilege_escalation' })
    const hidden = await call('run_command', { command: 'touch ran; $UNKNOWN' })
    expect(hidden).toMatchObject({ success: false, code: 'COMMAND_UNREADABLE' })
    expect(() => readFileSync(join(workspace, 'ran'))).toThrow('ENOENT')
    // Written to a file first, it is not read by the policy.
    await call('write_file', { path: 'fetch.sh', content: 'exec 3<>/dev/tcp/192.0.2.1/80 && touch ran' })
    expect(await call('run_command', { command: 'bash fetch.sh' })).toMatchObject({ success: false })
    expect(() => readFileSync(join(workspace, 'ran'))).toThrow('ENOENT')
  })

  test('an abort ends the call at once, and the next one has tools again', async () => {
    const { call } = await newToolbox()
    const stop = new AbortController()
    const running = call('run_command', { command: 'sleep 60', timeout_s: 60 }, stop.signal)
    setTimeout(() => stop.abort(new Error('the run was cancelled')), 200)
    await expect(running).rejects.toThrow('the run was cancelled')
    expect(await call('run_command', { command: 'echo again' })).toMatchObject({ stdout: 'again\n' })
  })
})
