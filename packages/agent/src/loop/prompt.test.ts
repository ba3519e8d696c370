import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { toolSpecs } from '../tools/specs.ts'
import { estimatedTokens, fence } from './fence.ts'
import { systemPrompt, taskPrompt, type PromptContext } from './prompt.ts'

const typical: PromptContext = {
  tools: toolSpecs,
  repository: 'shop',
  branch: 'muster/ada/round-prices',
  tree: Array.from({ length: 200 }, (_, at) => `src/features/prices/price-rule-${at}.ts`).join('\n'),
  keyFiles: [
    {
      path: 'package.json',
      text: JSON.stringify({ scripts: { test: 'node --test' }, name: 'shop' }, null, 2),
    },
    { path: 'README.md', text: '# Shop\n\nPrices are whole cents.\n'.repeat(40) },
  ],
  criteria: ['round() rounds half up', 'the existing tests pass'],
  checks: [
    { kind: 'test_passes', target: 'auto' },
    { kind: 'file_exists', target: 'src/features/prices/round.ts' },
  ],
  mayChange: [],
}

test('with a typical workspace the system prompt is at most 1,600 tokens', () => {
  const prompt = systemPrompt(typical)
  expect(estimatedTokens(prompt)).toBeLessThanOrEqual(1_600)
  // A tree of 200 paths is cut, and leaves room for what the key files say.
  expect(prompt).toMatch(/price-rule-40\.ts\n.*more lines\]\n<\/tree>/s)
  expect(prompt).toContain('"test": "node --test"')
})

test('it is no longer whatever the workspace and the task are', () => {
  const words = fc.string({ maxLength: 3_000 })
  const context = fc.record({
    tree: words,
    keyFiles: fc.array(fc.record({ path: fc.string({ maxLength: 80 }), text: words }), { maxLength: 6 }),
    criteria: fc.array(words, { maxLength: 30 }),
    checks: fc.array(fc.record({ kind: fc.constant('command_succeeds' as const), target: words }), {
      maxLength: 30,
    }),
    mayChange: fc.array(words, { maxLength: 20 }),
  })
  fc.assert(
    fc.property(context, (over) => {
      expect(estimatedTokens(systemPrompt({ ...typical, ...over }))).toBeLessThanOrEqual(1_600)
    }),
  )
})

test('every tool, every criterion and every check of a usual task is named', () => {
  const prompt = systemPrompt({ ...typical, mayChange: ['test/**'] })
  for (const { name } of typical.tools) expect(prompt).toContain(`- ${name}: `)
  for (const criterion of typical.criteria) expect(prompt).toContain(criterion)
  expect(prompt).toContain(
    '- the tests of the repository pass\n- the file src/features/prices/round.ts exists',
  )
  expect(prompt).toContain('Allowed exceptions: test/**.')
})

test('what is the same for every task comes before all that is not, so that a cache of it serves them all', () => {
  const other = systemPrompt({
    ...typical,
    criteria: ['other'],
    tree: 'b',
    keyFiles: [],
    checks: [],
    branch: 'x',
  })
  const prompt = systemPrompt(typical)
  const at = [...prompt].findIndex((character, index) => character !== other[index])
  expect(at).toBeGreaterThan(prompt.indexOf('- Say what is true.'))
})

test('no text of a file can end its own marks', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(fc.constantFrom('<file>', '</file>', '</file-2>', 'x\n')),
      (noise, parts) => {
        const text = parts.join('') + noise
        const fenced = fence('file', text)
        const close = fenced.slice(fenced.lastIndexOf('</'))
        expect(fenced.indexOf(close)).toBe(fenced.length - close.length)
        expect(fenced).toContain(text.trimEnd())
      },
    ),
  )
})

test('hints of the task are named with it', () => {
  expect(taskPrompt('Do it.')).toBe('Do it.')
  expect(taskPrompt('Do it.', ['a.ts', 'b.ts'])).toBe(
    'Do it.\n\nFiles that this is probably about: a.ts, b.ts',
  )
})
