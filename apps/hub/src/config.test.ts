import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readConfig } from './config.ts'

const least = { MUSTER_DATABASE_URL: 'postgresql://x', MUSTER_DATA: '/data' }

test('the least configuration is completed with safe values and cannot be changed', () => {
  const config = readConfig(least)
  expect(config).toEqual({
    databaseUrl: 'postgresql://x',
    dataDir: '/data',
    host: '127.0.0.1',
    port: 4600,
    logLevel: 'info',
    webDist: null,
    messageDays: 7,
    local: false,
    lifeline: false,
    limits: { maxRunning: 20, maxWaiting: 100_000, quietMs: 300_000, noProgressMs: 1_200_000 },
    models: {
      ollamaUrl: 'http://127.0.0.1:11434',
      openai: null,
      anthropic: null,
      model: null,
      waitMs: 5_000,
    },
    databaseDisk: { dir: null, reserveMb: null },
    notify: true,
  })
  expect(Object.isFrozen(config)).toBe(true)
})

test('the database address may come from a file, and the variable wins', () => {
  const dir = mkdtempSync(join(tmpdir(), 'muster-config-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'url')
  writeFileSync(file, 'postgresql://from-file\n')
  const env = { MUSTER_DATA: '/data', MUSTER_DATABASE_URL_FILE: file }
  expect(readConfig(env).databaseUrl).toBe('postgresql://from-file')
  expect(readConfig({ ...env, ...least }).databaseUrl).toBe('postgresql://x')
})

test.each(['127.0.0.1', 'localhost', '::1'])('the hub may listen on %s', (host) => {
  expect(readConfig({ ...least, MUSTER_HOST: host }).host).toBe(host)
})

test('models are where Ollama says, and a key makes a cloud an endpoint', () => {
  const dir = mkdtempSync(join(tmpdir(), 'muster-config-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'key'), 'sk-file\n')
  const { models } = readConfig({
    ...least,
    OLLAMA_HOST: '0.0.0.0:8080',
    OPENAI_API_KEY: 'sk-env',
    OPENAI_BASE_URL: 'https://models.example.org/',
    ANTHROPIC_API_KEY_FILE: join(dir, 'key'),
    MUSTER_MODEL: 'qwen3:8b',
    MUSTER_MODEL_WAIT: '100',
  })
  expect(models).toEqual({
    ollamaUrl: 'http://127.0.0.1:8080',
    openai: { url: 'https://models.example.org/v1', key: 'sk-env' },
    anthropic: { url: 'https://api.anthropic.com/v1', key: 'sk-file' },
    model: 'qwen3:8b',
    waitMs: 100,
  })
  const twoOllamas = { ...least, OLLAMA_HOST: 'a', MUSTER_OLLAMA_URL: 'http://b:1', OPENAI_API_KEY: '' }
  expect(readConfig(twoOllamas).models).toMatchObject({ ollamaUrl: 'http://b:1', openai: null })
})

const refused: [string, Record<string, string | undefined>, RegExp][] = [
  ['no database', { MUSTER_DATABASE_URL: undefined }, /^MUSTER_DATABASE_URL: /],
  ['no data directory', { MUSTER_DATA: '' }, /^MUSTER_DATA: /],
  ['a port that is none', { MUSTER_PORT: '65536' }, /^MUSTER_PORT: /],
  ['a port that is a word', { MUSTER_PORT: 'http' }, /^MUSTER_PORT: /],
  ['an unknown log level', { MUSTER_LOG_LEVEL: 'loud' }, /^MUSTER_LOG_LEVEL: /],
  ['every address', { MUSTER_HOST: '0.0.0.0' }, /^MUSTER_HOST: only a loopback address is allowed/],
  ['an address of a network', { MUSTER_HOST: '192.168.1.2' }, /^MUSTER_HOST: /],
  ['a name that only begins like loopback', { MUSTER_HOST: '127.evil.example' }, /^MUSTER_HOST: /],
  ['an IPv6 wildcard', { MUSTER_HOST: '::' }, /^MUSTER_HOST: /],
  ['an Ollama with a password', { MUSTER_OLLAMA_URL: 'http://u:p@box' }, /^http:\/\/box\/ has credentials/],
  // The guard would refuse every request to it.
  ['another loopback address', { MUSTER_HOST: '127.0.0.2' }, /^MUSTER_HOST: /],
]
test.each(refused)('%s is refused with a sentence that names what is wrong', (_, change, sentence) => {
  expect(() => readConfig({ ...least, ...change })).toThrow(sentence)
})
