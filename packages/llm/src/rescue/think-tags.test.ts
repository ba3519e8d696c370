import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createThinkSplit } from './think-tags.ts'

function split(text: string, size = text.length || 1) {
  const parts = createThinkSplit()
  const result = { thinking: '', text: '' }
  const add = (more: { thinking: string; text: string }) => {
    result.thinking += more.thinking
    result.text += more.text
  }
  for (let at = 0; at < text.length; at += size) add(parts.push(text.slice(at, at + size)))
  add(parts.end())
  return result
}

describe('thinking in the text', () => {
  it.each([
    ['\n<think>Hm.</think>\n\nYes.', 'Hm.', 'Yes.'],
    ['<think></think>Yes.', '', 'Yes.'],
    ['<think>Hm, and on', 'Hm, and on', ''],
    ['<think>a </thi b</think>c', 'a </thi b', 'c'],
    ['Yes. <think>no</think>', '', 'Yes. <think>no</think>'],
    ['<thin air', '', '<thin air'],
    ['<think', '', '<think'],
    ['  ', '', '  '],
    ['', '', ''],
  ])('%j is thought and said', (text, thinking, said) => {
    for (const size of [1, 3, 100]) expect(split(text, size)).toEqual({ thinking, text: said })
  })

  it('of any text, pieces make no difference', () => {
    const piece = fc.constantFrom('<think>', '</think>', '<thi', '</', ' ', 'word', '\n')
    fc.assert(
      fc.property(fc.array(piece), fc.integer({ min: 1, max: 9 }), (pieces, size) => {
        const text = pieces.join('')
        expect(split(text, size)).toEqual(split(text))
      }),
    )
  })
})
