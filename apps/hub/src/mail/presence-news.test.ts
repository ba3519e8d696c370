import { expect, test } from 'vitest'
import { presenceNews, type Told } from './presence-news.ts'

const w = '00000000-0000-7000-8000-000000000000'
const here = (online: boolean, status = ''): Told =>
  new Map([['a', { workspaceId: w, id: 'a', name: 'ann', status, online }]])
const nobody: Told = new Map()

const cases: [string, Told, Told, unknown[]][] = [
  [
    'a new agent that is here has joined',
    nobody,
    here(true, 'hi'),
    [{ type: 'agent_joined', name: 'ann', status: 'hi' }],
  ],
  ['a new agent that is away is no news', nobody, here(false), []],
  [
    'one that came back has joined',
    here(false),
    here(true),
    [{ type: 'agent_joined', name: 'ann', status: '' }],
  ],
  ['one that went has left', here(true), here(false), [{ type: 'agent_left', name: 'ann' }]],
  [
    'one that says something else has changed',
    here(true),
    here(true, 'busy'),
    [{ type: 'status_changed', name: 'ann', status: 'busy' }],
  ],
  ['one that is the same is no news', here(true, 'x'), here(true, 'x'), []],
]
test.each(cases)('%s', (_, told, now, pushes) => {
  expect(presenceNews(told, now)).toEqual(pushes.map((push) => ({ about: 'a', push })))
})
