import { expect, test } from 'vitest'
import { ollamaAddress } from './ollama-address.ts'

test.each([
  [undefined, 'http://127.0.0.1:11434'],
  ['0.0.0.0', 'http://127.0.0.1:11434'],
  ['0.0.0.0:8080', 'http://127.0.0.1:8080'],
  ['gpu', 'http://gpu:11434'],
  [' gpu:1 ', 'http://gpu:1'],
  ['https://gpu.example.org/', 'https://gpu.example.org'],
  ['ftp://gpu', 'ftp://gpu'],
])('OLLAMA_HOST=%s is reached at %s', (given, url) => expect(ollamaAddress(given)).toBe(url))
