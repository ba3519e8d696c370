import { expect, test } from 'vitest'
import { billionsOf, sameModel, tierBySize } from './tiers.ts'

test.each([
  ['7.6B', 'x', 7.6, 'standard'],
  ['3.8B', 'phi4-mini', 3.8, 'trivial'],
  ['4B', 'x', 4, 'standard'],
  ['29.9B', 'x', 29.9, 'standard'],
  ['30B', 'x', 30, 'complex'],
  ['137M', 'nomic-embed-text', 0.137, 'trivial'],
  ['8x7B', 'mixtral', 56, 'complex'],
  [null, 'qwen3:8b', 8, 'standard'],
  [null, 'llama3.2:1b-instruct', 1, 'trivial'],
  [null, 'Qwen2.5-Coder-32B-Instruct', 32, 'complex'],
  ['', 'mystery', null, 'standard'],
] as const)(
  'a model that says %s and is called %s has %s billion parameters and is for %s tasks',
  (size, name, billions, tier) => {
    expect(billionsOf(size, name)).toBe(billions)
    expect(tierBySize(billions, false)).toBe(tier)
  },
)

test('a model in the cloud is for complex tasks, whatever its size', () => {
  expect(tierBySize(1, true)).toBe('complex')
})

test('a name without a tag is the one with the tag "latest", and no other tag', () => {
  expect(sameModel('qwen3', 'qwen3:latest')).toBe(true)
  expect(sameModel('hf.co/a/qwen3', 'hf.co/a/qwen3:latest')).toBe(true)
  expect(sameModel('qwen3', 'qwen3:8b')).toBe(false)
})
