import { expect, test } from 'vitest'
import { decidePlaces } from './places.ts'

test('an ordinary user keeps everything in the data directory, whatever is above it', () => {
  expect(decidePlaces({ data: '/home/u/m', root: false, ancestorModes: [0o700, 0o700] })).toEqual({
    reachable: '/home/u/m',
    dataMode: 0o700,
  })
})

test('root uses the data directory where everybody may pass on the way to it', () => {
  expect(decidePlaces({ data: '/srv/m', root: true, ancestorModes: [0o755, 0o711] })).toEqual({
    reachable: '/srv/m',
    dataMode: 0o711,
  })
})

test('one closed ancestor sends the parts of root to /var/lib, and the data directory stays closed', () => {
  const decision = decidePlaces({
    data: '/root/.local/share/muster',
    root: true,
    ancestorModes: [0o755, 0o700, 0o755],
  })
  expect(decision.reachable).toMatch(/^\/var\/lib\/muster\/[0-9a-f]{12}$/)
  expect(decision.dataMode).toBe(0o700)
})

test('two data directories never share a place, and one always finds its own again', () => {
  const place = (data: string) => decidePlaces({ data, root: true, ancestorModes: [0o700] }).reachable
  expect(place('/root/a')).not.toBe(place('/root/b'))
  expect(place('/root/a')).toBe(place('/root/a'))
})
