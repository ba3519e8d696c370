import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { startProcess } from '@muster/testkit/processes'
import { expect, it, onTestFinished } from 'vitest'

/** A checkout with the real programs of bin/, whose parts only stay, and an npm that writes down that it was asked. */
function checkout() {
  const root = mkdtempSync(join(tmpdir(), 'muster-checkout-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  cpSync(join(import.meta.dirname, '../../bin'), join(root, 'bin'), { recursive: true })
  for (const part of ['hub', 'worker', 'cli']) {
    mkdirSync(join(root, `apps/${part}/src`), { recursive: true })
    writeFileSync(
      join(root, `apps/${part}/src/main.ts`),
      part === 'cli'
        ? `console.log('ran', process.argv.slice(2).join(' '))\n`
        : `console.log('here')\nsetInterval(() => {}, 1e6)\n`,
    )
  }
  mkdirSync(join(root, 'node_modules'))
  mkdirSync(join(root, 'fake'))
  writeFileSync(join(root, 'fake/npm'), `#!/bin/sh\necho "$*" >> "${root}/npm-was-asked"\n`)
  chmodSync(join(root, 'fake/npm'), 0o755)
  const lock = (text: string) => writeFileSync(join(root, 'package-lock.json'), text)
  lock('{}')
  const stamp = createHash('sha256').update('{}').digest('hex')
  writeFileSync(join(root, 'node_modules/.muster-stamp'), stamp)
  return { root, lock, asked: () => existsSync(join(root, 'npm-was-asked')) }
}

function run(root: string, program: string, ...words: string[]): Promise<{ code: number; out: string }> {
  const env = { PATH: [join(root, 'fake'), process.env['PATH']].join(delimiter), HOME: root }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(root, 'bin', program), ...words], { env }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out: out + err }),
    )
  })
}

it.each(['hub', 'worker'])(
  'packages are not exchanged under a living %s of the same checkout',
  async (part) => {
    const { root, lock, asked } = checkout()
    const living = startProcess(process.execPath, [join(root, `apps/${part}/src/main.ts`)])
    onTestFinished(() => living.kill())
    await living.line(/here/)
    expect(await run(root, 'muster.mjs', 'status')).toMatchObject({ code: 0, out: 'ran status\n' })

    lock('{"changed": true}')
    const down = await run(root, 'muster.mjs', 'down')
    expect(down).toMatchObject({ code: 0, out: expect.stringContaining('ran down') })
    expect(down.out).toContain(`with the packages of before (process ${living.pid})`)
    for (const words of [
      ['muster.mjs', 'up'],
      ['muster.mjs', 'worker', 'join', 'http://127.0.0.1:1'],
      ['run.mjs', '--bin', 'vitest'],
    ] as const) {
      const refused = await run(root, words[0] ?? '', ...words.slice(1))
      expect([refused.code, refused.out], words.join(' ')).toEqual([
        75,
        expect.stringContaining('npx muster down'),
      ])
    }
    expect(asked()).toBe(false)

    await living.kill()
    expect(await run(root, 'muster.mjs', 'status')).toMatchObject({
      code: 0,
      out: expect.stringContaining('installing'),
    })
    expect(readFileSync(join(root, 'npm-was-asked'), 'utf8')).toMatch(/^ci /)
  },
)

it('a Muster of another checkout is no reason not to install', async () => {
  const [one, other] = [checkout(), checkout()]
  const living = startProcess(process.execPath, [join(other.root, 'apps/hub/src/main.ts')])
  onTestFinished(() => living.kill())
  await living.line(/here/)
  one.lock('{"changed": true}')
  expect((await run(one.root, 'muster.mjs', 'up')).code).toBe(0)
  expect(one.asked()).toBe(true)
})
