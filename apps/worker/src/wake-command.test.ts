import type { Assignment } from '@muster/contract/wire'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fillWords, splitCommand, valuesOf } from './wake-command.ts'

const assignment = (more: Partial<Assignment>) =>
  ({ taskId: 't', runId: 'r', attempt: 1, title: 'T', ...more }) as Assignment

test.each([
  ['wake gpu', ['wake', 'gpu']],
  ['  wake \t gpu\n', ['wake', 'gpu']],
  [`wake 'two words' "and more"`, ['wake', 'two words', 'and more']],
  [`wake a'b c'"d e"f`, ['wake', 'ab cd ef']],
  [`wake '' ""`, ['wake', '', '']],
  [String.raw`wake a\ b "c\"d" 'e\f'`, ['wake', 'a b', 'c"d', String.raw`e\f`]],
  ['wake $HOME `id` $(id) ; | > *', ['wake', '$HOME', '`id`', '$(id)', ';', '|', '>', '*']],
  ['wake --task=${TASK_ID} "${TASK_DESCRIPTION}"', ['wake', '--task=${TASK_ID}', '${TASK_DESCRIPTION}']],
])('%j is split into words as a shell would, and nothing in them is run', (line, words) => {
  expect(splitCommand(line)).toEqual(words)
})

test.each([
  ['', 'is empty'],
  [`wake 'gpu`, 'is not closed'],
  ['wake "gpu', 'is not closed'],
  ['${TASK_DESCRIPTION} now', 'must not come from a task'],
  ['wake ${TASK_TITLE}', '${TASK_TITLE} is none of'],
])('%j is refused with a sentence', (line, sentence) => {
  expect(() => splitCommand(line)).toThrow(sentence)
})

test('no text of a task adds an argument, changes another one or is looked at twice', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary-ascii' }),
    fc.constantFrom(
      `' ; rm -rf / '`,
      '" $(id) "',
      '${TASK_JSON}',
      '${TASK_ID}',
      '$&',
      '$1',
      '\\',
      '\n',
      '-rf',
      '',
    ),
  )
  const words = splitCommand(`wake -x "\${TASK_ID}" 'a\${TASK_DESCRIPTION}b' \${TASK_JSON} end`)
  fc.assert(
    fc.property(hostile, hostile, (title, description) => {
      const values = valuesOf(assignment({ title, description }))
      expect(fillWords(words, values)).toEqual([
        'wake',
        '-x',
        't',
        `a${description.replaceAll('\0', '\uFFFD')}b`,
        values.TASK_JSON,
        'end',
      ])
      expect(JSON.parse(values.TASK_JSON)).toMatchObject({ taskId: 't', title, description })
      expect(values.TASK_JSON + values.TASK_DESCRIPTION).not.toContain('\0')
    }),
  )
})

test('the longest task fits into one argument of Linux', () => {
  const long = assignment({
    title: '\u0001'.repeat(256),
    description: '\u0001'.repeat(10_000),
    command: 'x'.repeat(32_000),
  })
  expect(Buffer.byteLength(valuesOf(long).TASK_JSON)).toBeLessThan(128 * 1024)
})

test('a task without a description is described by its title', () => {
  expect(valuesOf(assignment({ title: 'Only this' })).TASK_DESCRIPTION).toBe('Only this')
})
