import { expect, test } from 'vitest'
import { ansiPieces, plainStyle, withoutAnsi } from './ansi.ts'

function pieces(line: string) {
  return ansiPieces(line, plainStyle).pieces
}

test('colours and weight become class names and end where they are switched off', () => {
  expect(pieces('\u001b[1;31mbad\u001b[0m fine')).toEqual([
    { text: 'bad', className: 'ansi-red ansi-bold' },
    { text: ' fine', className: '' },
  ])
})

test('a colour that is left on is carried to the next line', () => {
  const { style } = ansiPieces('\u001b[32mgreen', plainStyle)
  expect(ansiPieces('still', style).pieces).toEqual([{ text: 'still', className: 'ansi-green' }])
})

test('the parameters of a 256 or true colour are not taken for styles of their own', () => {
  expect(pieces('\u001b[38;5;1mx')).toEqual([{ text: 'x', className: '' }])
  expect(pieces('\u001b[48;2;1;3;4;4mx')).toEqual([{ text: 'x', className: 'ansi-underline' }])
})

test.each([
  ['a window title', '\u001b]0;owned\u0007safe'],
  ['a hyperlink', '\u001b]8;;https://evil.example\u001b\\safe\u001b]8;;\u001b\\'],
  ['a cleared screen', '\u001b[2J\u001b[Hsafe'],
  ['a device control string', '\u001bPq#0;2;0;0;0\u001b\\safe'],
  ['bells and backspaces', '\u0007\u0008safe\u0000'],
  ['a sequence that is cut off', 'safe\u001b['],
])('%s leaves nothing but its text', (_, text) => expect(withoutAnsi(text).replace(/\[$/, '')).toBe('safe'))
