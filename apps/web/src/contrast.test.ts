/// <reference types="node" />
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const css = readFileSync(new URL('styles.css', import.meta.url), 'utf8')

const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [
    name ?? '',
    { light: light ?? '', dark: dark ?? '' },
  ]),
)

const surfaces = ['bg', 'panel', 'sunken', 'hover']
const texts = ['text', 'muted', 'accent', 'ok', 'bad', 'warn', 'busy']
const tinted = ['ok', 'bad', 'warn', 'busy']

const pairs = [
  ...texts.flatMap((text) => surfaces.map((surface) => ({ text, surface, least: 4.5 }))),
  ...tinted.map((text) => ({ text, surface: `${text}-soft`, least: 4.5 })),
  ...tinted.flatMap((tint) => [
    { text: 'text', surface: `${tint}-soft`, least: 4.5 },
    { text: 'muted', surface: `${tint}-soft`, least: 4.5 },
  ]),
  { text: 'muted', surface: 'quiet-soft', least: 4.5 },
  { text: 'on-accent', surface: 'accent', least: 4.5 },
  { text: 'on-accent', surface: 'accent-hover', least: 4.5 },
  { text: 'edge-control', surface: 'panel', least: 3 },
  { text: 'edge-control', surface: 'bg', least: 3 },
  { text: 'focus', surface: 'bg', least: 3 },
  { text: 'focus', surface: 'panel', least: 3 },
]

for (const theme of ['light', 'dark'] as const) {
  test.each(pairs)(`$text on $surface has a contrast of at least $least in the ${theme} theme`, (pair) => {
    const ratio = contrast(tokens.get(pair.text)?.[theme] ?? '', tokens.get(pair.surface)?.[theme] ?? '')
    expect(ratio).toBeGreaterThanOrEqual(pair.least)
  })
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

/** Relative luminance as WCAG defines it. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
