/**
 * What the demonstration works on: a project with a bug and a test that shows it. It needs nothing but Node, which the
 * wall has.
 */
export const files: Record<string, string> = {
  'package.json': `${JSON.stringify(
    { name: 'till', version: '1.0.0', private: true, type: 'module', scripts: { test: 'node --test' } },
    null,
    2,
  )}\n`,
  'README.md': '# till\n\nAdds up what is in a basket.\n',
  'src/total.js': `/** The sum of a basket in cents; a discount is in percent. */
export function total(items, discount = 0) {
  const sum = items.reduce((all, item) => all + item.cents, 0)
  return Math.round(sum * (1 - discount))
}
`,
  'test/total.test.js': `import assert from 'node:assert/strict'
import test from 'node:test'
import { total } from '../src/total.js'

const basket = [
  { name: 'tea', cents: 250, count: 2 },
  { name: 'milk', cents: 100, count: 1 },
]

test('counts each item as often as it is in the basket', () => {
  assert.equal(total(basket), 600)
})

test('takes a discount in percent', () => {
  assert.equal(total(basket, 10), 540)
})
`,
}

export const title = 'Make the total right'
export const prompt =
  'The tests of this project fail. Find out why total() gives a wrong sum, correct it in src/total.js, and see that ' +
  'the tests pass.'

/**
 * What the practice model plays: it looks, tries, makes half of the correction, believes that it is finished, is told by
 * the check what still fails, and corrects that. So the whole way is seen, with the way back.
 */
export const script = {
  name: 'demo',
  turns: [
    {
      say: 'I look at what is there.',
      calls: [{ tool: 'list_directory', args: { path: '.', depth: 2 } }],
    },
    {
      calls: [
        { tool: 'read_file', args: { path: 'src/total.js' } },
        { tool: 'read_file', args: { path: 'test/total.test.js' } },
      ],
    },
    { say: 'The tests, to see them fail.', calls: [{ tool: 'run_command', args: { command: 'npm test' } }] },
    {
      say: 'The count of an item is not used.',
      calls: [
        {
          tool: 'edit_file',
          args: { path: 'src/total.js', old: 'all + item.cents,', new: 'all + item.cents * item.count,' },
        },
      ],
    },
    { say: 'Each item is counted now.' },
    {
      say: 'The discount is in percent, and the code takes it as a fraction.',
      calls: [
        {
          tool: 'edit_file',
          args: { path: 'src/total.js', old: '(1 - discount)', new: '(1 - discount / 100)' },
        },
      ],
    },
    { calls: [{ tool: 'run_command', args: { command: 'npm test' } }] },
    { say: 'total() counts each item and takes the discount in percent; both tests pass.' },
  ],
}
