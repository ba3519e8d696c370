import { expect, test } from 'vitest'
import { parseDiff } from './parse-diff.ts'

const header = 'diff --git a/a.txt b/a.txt\nindex 1..2 100644\n--- a/a.txt\n+++ b/a.txt\n'

test('added and removed lines carry the numbers of their own side', () => {
  const [file] = parseDiff(`${header}@@ -4,3 +4,3 @@ where\n same\n-old\n+new\n same\n`)
  expect(file).toMatchObject({ path: 'a.txt', added: 1, removed: 1 })
  expect(file?.lines.map(({ kind, before, after }) => [kind, before, after])).toEqual([
    ['hunk', null, null],
    ['context', 4, 4],
    ['remove', 5, null],
    ['add', null, 5],
    ['context', 6, 6],
  ])
})

test('a removed line that starts with dashes is a line and not the header of another file', () => {
  const files = parseDiff(`${header}@@ -1,2 +1,1 @@\n--- b/secret\n same\n`)
  expect(files).toHaveLength(1)
  expect(files[0]?.lines[1]).toMatchObject({ kind: 'remove', text: '-- b/secret' })
})

test('an added line that looks like a file header opens no file', () => {
  expect(parseDiff(`${header}@@ -0,0 +1,1 @@\n+diff --git a/x b/x\n`)).toHaveLength(1)
})

test('new, deleted, renamed and binary files say what they are', () => {
  const files = parseDiff(
    [
      'diff --git a/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x',
      'diff --git a/d b/d\ndeleted file mode 100644\n--- a/d\n+++ /dev/null\n@@ -1 +0,0 @@\n-x',
      'diff --git a/old name b/new name\nsimilarity index 100%\nrename from old name\nrename to new name',
      'diff --git a/i.png b/i.png\nindex 1..2\nBinary files a/i.png and b/i.png differ\n',
    ].join('\n'),
  )
  expect(files.map(({ path, from, change }) => [path, from, change])).toEqual([
    ['n', null, 'added'],
    ['d', null, 'deleted'],
    ['new name', 'old name', 'renamed'],
    ['i.png', null, 'changed'],
  ])
  expect(files[3]?.lines[0]).toMatchObject({ kind: 'note' })
})

test('a quoted name is shown as its characters', () => {
  const quoted = String.raw`"b/gr\303\274n\t.txt"`
  const [file] = parseDiff(`diff --git "a/x" ${quoted}\n--- /dev/null\n+++ ${quoted}\n@@ -0,0 +1 @@\n+x\n`)
  expect(file?.path).toBe('grün\t.txt')
})

test('a hunk that ends early does not swallow the file after it', () => {
  const files = parseDiff(
    `${header}@@ -1,9 +1,9 @@\n same\n${header.replaceAll('a.txt', 'b.txt')}@@ -1 +1 @@\n-a\n+b\n`,
  )
  expect(files.map((file) => file.path)).toEqual(['a.txt', 'b.txt'])
})
