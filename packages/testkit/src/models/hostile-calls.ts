import type { Ending, Hostile } from './hostile.ts'
import { edited, everyServer } from './hostile-by-hand.ts'
import type { ScriptedCall, TurnRequest } from './turn.ts'

const servers = everyServer

/** Tool calls that are not what a tool expects. The contract wants an answer from which the model can learn. */
export const hostileCalls: Hostile[] = [
  calling('calls with arguments that are broken JSON', (name) => [
    { name, rawArgs: '{"path": "a.txt", "content": "unfinished' },
  ]),
  calling('calls with arguments that are no JSON', (name) => [{ name, rawArgs: 'path=a.txt' }]),
  calling('calls with a list for arguments', (name) => [{ name, rawArgs: '["a.txt"]' }]),
  calling('calls with null for arguments', (name) => [{ name, rawArgs: 'null' }]),
  calling('calls with no arguments at all', (name) => [{ name, rawArgs: '' }]),
  calling('calls with JSON within JSON for arguments', (name) => [
    { name, rawArgs: JSON.stringify(JSON.stringify({ path: 'a.txt' })) },
  ]),
  calling('calls with arguments of wrong types', (name) => [
    { name, args: { path: 7, content: ['a', { b: null }], timeout_s: 'ten', all: 'True' } },
  ]),
  calling('calls a tool that nobody offered', () => [{ name: 'launch_missiles', args: { now: true } }]),
  calling('calls a tool whose name is a property of every object', () => [
    { name: 'constructor', args: {} },
    { name: '__proto__', args: {} },
    { name: 'toString', args: {} },
  ]),
  calling('calls a tool with a name of 100 kB', () => [{ name: 'x'.repeat(100_000), args: {} }]),
  calling('calls twice with one id', (name) => [
    { name, args: { path: 'a' }, id: 'call_same' },
    { name, args: { path: 'b' }, id: 'call_same' },
  ]),
  {
    ...calling('calls without an id', (name) => [{ name, args: { path: 'a' }, id: null }]),
    ends: ['ok', 'cut_off', 'unavailable'],
  },
  { ...calling('calls with an empty id', (name) => [{ name, args: { path: 'a' }, id: '' }]) },
  {
    ...calling('calls without a name', () => [{ name: null, args: { path: 'a' } }]),
    ends: ['ok', 'cut_off', 'unavailable'],
  },
  calling('calls with an argument of 1 MB', (name) => [
    { name, args: { path: 'a', content: 'b'.repeat(1024 * 1024) } },
  ]),
  {
    ...calling('calls with arguments nested 10,000 deep', (name) => [
      { name, rawArgs: `{"path":${'['.repeat(10_000)}${']'.repeat(10_000)}}` },
    ]),
    ends: ['ok', 'cut_off', 'unavailable'],
  },
  {
    ...calling('calls with keys that would change every object', (name) => [
      {
        name,
        rawArgs: '{"path":"a","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
      },
    ]),
    ends: ['ok', 'cut_off', 'unavailable'],
  },
  calling('calls with numbers that overflow', (name) => [
    { name, rawArgs: '{"path":"a","start_line":1e999,"end_line":-99999999999999999999999}' },
  ]),
  calling('calls with one key twice', (name) => [{ name, rawArgs: '{"path":"a","path":"../b"}' }]),
  calling('makes 200 calls at once', (name) =>
    Array.from({ length: 200 }, (_, at) => ({ name, args: { path: `file-${at}` } })),
  ),
  {
    name: 'makes the same call for ever',
    servers,
    ends: ['ok'],
    turn: (request) => ({ calls: [{ name: offered(request), args: { path: 'a.txt' } }] }),
  },
  {
    name: 'calls as text, and the text is cut in the middle of the call',
    servers,
    ends: ['ok'],
    turn: (request) => ({
      text: `<tool_call>\n{"name": "${offered(request)}", "arguments": {"path": "a`,
      why: 'length',
    }),
  },
  {
    name: 'counts below zero',
    servers,
    ends: ['ok'],
    turn: { text: 'Counted.', usage: { inputTokens: -5, outputTokens: -7 } },
  },
  {
    name: 'counts more than there is',
    servers,
    ends: ['ok'],
    turn: { text: 'Counted.', usage: { inputTokens: 1e18, outputTokens: Number.MAX_VALUE } },
  },
  {
    name: 'counts nothing',
    servers,
    ends: ['ok'],
    turn: { text: 'Not counted.', usage: { inputTokens: 0, outputTokens: 0 } },
  },
  {
    name: 'counts in words',
    servers,
    ends: ['ok', 'cut_off', 'unavailable'],
    turn: edited('counts in words', { text: 'Counted.' }, (body) =>
      body.replace(/"(\w*(?:tokens|_count))":\d+/g, '"$1":"many"'),
    ),
  },
]

function calling(name: string, calls: (tool: string) => ScriptedCall[], ends: Ending[] = ['ok']): Hostile {
  return { name, servers, ends, turn: (request) => ({ calls: calls(offered(request)) }) }
}

/** The first tool that was offered, so that the call is taken seriously. */
function offered(request: TurnRequest): string {
  return request.tools[0]?.name ?? 'read_file'
}
