import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { removeFiles, servicePlaces, writeFiles, type ServiceFile } from './service-files.ts'
import { marker } from './unit.ts'

function service() {
  const root = mkdtempSync(join(tmpdir(), 'muster-service-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const places = servicePlaces('muster-worker', null, root)
  const files: ServiceFile[] = [
    { path: places.token, text: 'muster_worker_secret\n', mode: 0o600 },
    { path: places.environment, text: `${marker}\nMUSTER_SLOTS="2"\n`, mode: 0o600 },
    { path: places.unit, text: `${marker}\n[Service]\n`, mode: 0o644 },
  ]
  return { root, places, files }
}
const modeOf = (path: string) => statSync(path).mode & 0o777

test('the files are where systemd looks, and the token is readable by its owner only', async () => {
  const { root, places, files } = service()
  expect(await writeFiles(files)).toEqual([places.token, places.environment, places.unit])
  expect(places.unit).toBe(join(root, 'etc/systemd/system/muster-worker.service'))
  expect([places.token, places.environment, places.unit].map(modeOf)).toEqual([0o600, 0o600, 0o644])
})

test('said twice nothing is written again, said otherwise only what is otherwise', async () => {
  const { places, files } = service()
  await writeFiles(files)
  expect(await writeFiles(files)).toEqual([])
  const other = files.map((file) =>
    file.path === places.unit ? { ...file, text: `${file.text}# 2\n` } : file,
  )
  expect(await writeFiles(other)).toEqual([places.unit])
})

test('a unit of somebody else is neither overwritten nor removed, and nothing beside it is written', async () => {
  const { places, files } = service()
  mkdirSync(dirname(places.unit), { recursive: true })
  writeFileSync(places.unit, '[Service]\nExecStart=/bin/mine\n')
  await expect(writeFiles(files)).rejects.toMatchObject({ code: 'unit_not_ours' })
  expect(existsSync(places.token)).toBe(false)
  await expect(removeFiles(places)).rejects.toMatchObject({ code: 'unit_not_ours' })
  expect(readFileSync(places.unit, 'utf8')).toContain('/bin/mine')
})

test('removing takes away exactly what was written, and nothing the second time', async () => {
  const { places, files } = service()
  await writeFiles(files)
  const other = join(dirname(places.token), 'other.token')
  writeFileSync(other, 'x')
  expect(await removeFiles(places)).toEqual([places.unit, places.environment, places.token])
  expect(existsSync(other)).toBe(true)
  expect(await removeFiles(places)).toEqual([])
})

test('a user’s own service is in its home, and a second worker beside the first', () => {
  const own = servicePlaces('muster-worker-gpu', {
    config: '/home/ann/.config',
    data: '/home/ann/.local/share',
  })
  expect(own).toEqual({
    unit: '/home/ann/.config/systemd/user/muster-worker-gpu.service',
    environment: '/home/ann/.config/muster/muster-worker-gpu.env',
    token: '/home/ann/.config/muster/muster-worker-gpu.token',
    data: '/home/ann/.local/share/muster-worker-gpu',
  })
})
