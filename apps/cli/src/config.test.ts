import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isLoopback, ollamaUrl, readConfig } from './config.ts'

test('an empty environment gives a complete configuration', () => {
  const config = readConfig({ HOME: '/home/u' })
  expect(config).toMatchObject({ host: '127.0.0.1', port: 4600, hub: null, token: null, databaseUrl: null })
  expect(Object.isFrozen(config)).toBe(true)
})

test('the data directory follows MUSTER_DATA, then an absolute XDG_DATA_HOME', () => {
  expect(readConfig({ MUSTER_DATA: '/a', XDG_DATA_HOME: '/b' }).data).toBe('/a')
  expect(readConfig({ XDG_DATA_HOME: '/b' }).data).toBe('/b/muster')
  expect(readConfig({ XDG_DATA_HOME: 'b' }).data).toMatch(/\.local\/share\/muster$/)
})

test.each(['0.0.0.0', '192.168.1.5', '::', 'example.org', '127.0.0.1.evil.org', ''].filter(Boolean))(
  'MUSTER_HOST=%s is refused with a sentence',
  (host) => expect(() => readConfig({ MUSTER_HOST: host })).toThrow('must be a loopback address'),
)

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each(['-1', '65536', '46o0', '4600.5', ' '])('MUSTER_PORT=%j is refused', (port) => {
  expect(() => readConfig({ MUSTER_PORT: port })).toThrow('MUSTER_PORT')
})

test('a secret is read from its file, and never from both places', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'muster-config-')), 'token')
  writeFileSync(file, 'secret\n')
  expect(readConfig({ MUSTER_TOKEN_FILE: file }).token).toBe('secret')
  expect(() => readConfig({ MUSTER_TOKEN_FILE: file, MUSTER_TOKEN: 'x' })).toThrow('both set')
  expect(() => readConfig({ MUSTER_TOKEN_FILE: `${file}.no` })).toThrow('cannot be read')
})

test('children inherit how to find things and none of the secrets', () => {
  const { inherited } = readConfig({
    PATH: '/bin',
    LC_ALL: 'C',
    https_proxy: 'http://proxy',
    ANTHROPIC_API_KEY: 'key',
    MUSTER_TOKEN: 'token',
    GITHUB_TOKEN: 'token',
  })
  expect(inherited).toEqual({ PATH: '/bin', LC_ALL: 'C', https_proxy: 'http://proxy' })
})

test('a variable that only looks like ours is reported', () => {
  expect(readConfig({ MUSTER_PROT: '1', MUSTER_PORT: '1', MUSTER_TOKEN_FILE: '' }).unknown).toEqual([
    'MUSTER_PROT',
  ])
})

test.each([
  [undefined, 'http://127.0.0.1:11434'],
  ['0.0.0.0', 'http://127.0.0.1:11434'],
  ['0.0.0.0:8080', 'http://127.0.0.1:8080'],
  ['gpu', 'http://gpu:11434'],
  ['https://gpu.example.org/', 'https://gpu.example.org'],
])('OLLAMA_HOST=%s is reached at %s', (given, url) => expect(ollamaUrl(given)).toBe(url))

test('capabilities are listed with commas in any case, and one that is no name stops the start', () => {
  expect(readConfig({ MUSTER_CAPABILITIES: ' GPU, docs,,' }).capabilities).toEqual(['gpu', 'docs'])
  expect(readConfig({}).capabilities).toEqual([])
  expect(() => readConfig({ MUSTER_CAPABILITIES: 'a b' })).toThrow(/MUSTER_CAPABILITIES/)
})
