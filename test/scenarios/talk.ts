import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { eventually } from '@muster/testkit/eventually'
import { onTestFinished } from 'vitest'

const examples = join(import.meta.dirname, '../../examples')

export type Said = Record<string, unknown>

/** A client of the worker socket that says what a test tells it to. */
export type Talk = {
  /** A text is sent as it is; anything else as JSON. */
  say(message: object | string): void
  /** The next message of the hub of this type; earlier ones of other types are passed over. */
  next(type: string, fits?: (message: Said) => boolean): Promise<Said>
  /** `CODE REASON`, once the hub has closed the connection. */
  closed(): Promise<string>
}

/** Through what Node brings, as examples/agent.mjs does. */
export function talkInNode(url: string, token: string): Talk {
  const options = { headers: { authorization: `Bearer ${token}` } }
  // Node takes headers there; the standard, and with it the type, knows only protocols.
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/workers/socket`, options as never)
  const heard: Said[] = []
  let end: string | undefined
  const isOpen = new Promise((resolve) => socket.addEventListener('open', resolve))
  socket.addEventListener('message', ({ data }) => heard.push(JSON.parse(String(data)) as Said))
  socket.addEventListener('close', ({ code, reason }) => (end = `${code} ${reason}`))
  onTestFinished(() => socket.close())
  return talkOf({ heard, ended: () => end, say: (text) => void isOpen.then(() => socket.send(text)) })
}

/** Through the WebSocket of examples/agent.py. */
export function talkInPython(url: string, token: string): Talk {
  const env = { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1' }
  const program = spawn('python3', ['-c', bridge, `${url}/api/v1/workers/socket`, token], {
    cwd: examples,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const heard: Said[] = []
  let end: string | undefined
  createInterface(program.stdout).on('line', (line) => {
    const message = JSON.parse(line) as Said
    if (message['closed'] === undefined) heard.push(message)
    else end = String(message['closed'])
  })
  // The hub may have ended the talk before everything was said.
  program.stdin.on('error', () => {})
  onTestFinished(() => void program.kill())
  return talkOf({
    heard,
    ended: () => end,
    say: (text) => void program.stdin.write(`${JSON.stringify(text)}\n`),
  })
}

const bridge = `
import asyncio, json, os, sys
sys.path.insert(0, '.')
import agent

async def hear(ws):
    try:
        while True:
            print(json.dumps(await ws.receive()), flush=True)
    except agent.Closed as end:
        print(json.dumps({'closed': str(end)}), flush=True)
        os._exit(0)

async def main():
    ws = await agent.WebSocket.connect(sys.argv[1], sys.argv[2])
    asyncio.create_task(hear(ws))
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        ws.send(json.loads(line))

asyncio.run(main())
`

function talkOf(talk: { heard: Said[]; ended: () => string | undefined; say: (text: string) => void }): Talk {
  const { heard } = talk
  return {
    say: (message) => talk.say(typeof message === 'string' ? message : JSON.stringify(message)),
    next: (type, fits = () => true) =>
      eventually(
        () => {
          const at = heard.findIndex((message) => message['type'] === type && fits(message))
          return at < 0 ? undefined : heard.splice(0, at + 1).at(-1)
        },
        { timeoutMs: 30_000, what: `the hub says ${type}; heard ${JSON.stringify(heard)}` },
      ),
    closed: () => eventually(talk.ended, { timeoutMs: 30_000, what: 'the hub closes the connection' }),
  }
}
