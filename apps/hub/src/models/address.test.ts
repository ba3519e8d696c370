import { expect, test } from 'vitest'
import { isCloud, isLoopback, readAddress } from './address.ts'

test.each([
  ['ollama', 'http://box-2:11434', 'http://box-2:11434'],
  ['ollama', 'http://box-2:11434/', 'http://box-2:11434'],
  ['ollama', 'http://BOX-2:11434/v1/', 'http://box-2:11434'],
  ['ollama', 'https://gpu.example.org/ollama', 'https://gpu.example.org/ollama'],
  ['openai', 'http://gpu:8000', 'http://gpu:8000/v1'],
  ['openai', 'http://gpu:8000/v1', 'http://gpu:8000/v1'],
  ['anthropic', 'https://api.anthropic.com', 'https://api.anthropic.com/v1'],
] as const)('the address of an %s at %s is stored as %s', (kind, given, stored) => {
  expect(readAddress(kind, given)).toBe(stored)
  // What is stored is not changed when it is read again.
  expect(readAddress(kind, stored)).toBe(stored)
})

test.each([
  ['box-2', /not a URL/],
  ['box-2:11434', /only http and https/],
  ['ftp://box-2/models', /only http and https/],
  ['file:///etc/passwd', /only http and https/],
  ['http://user:geheim@box-2:11434', /credentials/],
  ['http://box-2:11434/?key=geheim', /query/],
  ['http://box-2:11434/#geheim', /fragment/],
  ['http://169.254.169.254/', /link-local/],
])('%s is refused and its secrets are not repeated', (given, why) => {
  expect(() => readAddress('ollama', given)).toThrow(why)
  expect(() => readAddress('ollama', given)).not.toThrow(/geheim/)
  expect(() => readAddress('ollama', given)).toThrow(
    expect.objectContaining({ code: 'endpoint_url_refused' }),
  )
})

test.each([
  'http://127.0.0.1:1',
  'http://box-2',
  'http://10.1.2.3',
  'http://172.20.0.2',
  'http://100.100.1.1',
  'http://[::1]:1',
  'http://[fd00::1]',
  'http://nas.local',
])('%s is a machine of one’s own', (url) => expect(isCloud(url)).toBe(false))

test.each([
  'https://api.openai.com/v1',
  'http://8.8.8.8',
  'http://172.32.0.1',
  'http://[2001:db8::1]',
  'https://10.example.org',
  'https://127.0.0.1.example.org',
])('%s is a cloud', (url) => expect(isCloud(url)).toBe(true))

test('a loopback address is one in every spelling', () => {
  const spellings = [
    'http://127.0.0.1',
    'http://127.9.9.9',
    'http://localhost',
    'http://[::1]',
    'http://2130706433',
  ]
  expect(spellings.filter(isLoopback)).toEqual(spellings)
  expect(isLoopback('http://box-2')).toBe(false)
})
