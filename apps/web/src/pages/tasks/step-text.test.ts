import { expect, test } from 'vitest'
import { stepText, stepWho } from './step-text.ts'

const step = {
  kind: 'model' as const,
  model: 'qwen3:8b',
  tool: null,
  args: '',
  text: 'I look.',
  result: 'answers',
}

test('a model is called by its name and shown by what it said, or by what it called', () => {
  expect(stepWho(step)).toBe('qwen3:8b')
  expect(stepText(step)).toBe('I look.')
  expect(stepText({ ...step, text: '', result: 'calls read_file' })).toBe('calls read_file')
})

test('a tool is called by its name and shown by its arguments', () => {
  const tool = { ...step, kind: 'tool' as const, tool: 'read_file', args: '{"path":"a"}' }
  expect(stepWho(tool)).toBe('read_file')
  expect(stepText(tool)).toBe('{"path":"a"}')
})
