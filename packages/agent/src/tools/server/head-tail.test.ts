import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { keepHeadAndTail } from './head-tail.ts'
import { fromWholeCharacter, wholeCharacters } from './whole-characters.ts'

test('what fits is kept whole, however it comes; of the rest both ends, without half a character', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '漢', '😀', '\n'), maxLength: 300 })
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 9, max: 400 }),
      fc.integer({ min: 1, max: 50 }),
      (text, room, step) => {
        const bytes = Buffer.from(text)
        const kept = keepHeadAndTail(room)
        for (let at = 0; at < bytes.length; at += step) kept.add(bytes.subarray(at, at + step))
        const { text: read, droppedBytes } = kept.end()
        if (bytes.length <= room) {
          expect(read).toBe(text)
          return
        }
        expect(droppedBytes).toBe(bytes.length - room)
        const [head = '', tail = ''] = read.split(/\n\[… \d+ bytes left out …\]\n/)
        expect(text.startsWith(head)).toBe(true)
        expect(text.endsWith(tail)).toBe(true)
        expect(read).not.toContain('\ufffd')
      },
    ),
  )
})

test('a cut character is dropped at either end, and a whole one stays', () => {
  const bytes = Buffer.from('é漢😀')
  const whole = [0, 0, 1, 1, 1, 2, 2, 2, 2, 3]
  whole.forEach((count, length) => {
    expect([...wholeCharacters(bytes.subarray(0, length)).toString()].length).toBe(count)
  })
  for (let from = 0; from <= bytes.length; from += 1) {
    expect(fromWholeCharacter(bytes.subarray(from)).toString()).not.toContain('\ufffd')
  }
})
