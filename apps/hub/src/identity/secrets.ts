import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(scrypt) as (
  password: string,
  salt: Buffer,
  length: number,
  cost: object,
) => Promise<Buffer>

/** 256 random bits with a prefix that secret scanners and people recognise. */
export function newSecret(prefix: 'person' | 'worker' | 'session' | 'link'): string {
  return `muster_${prefix}_${randomBytes(32).toString('base64url')}`
}

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

// scrypt with N = 2^17, r = 8, p = 1: the OWASP password storage sheet's first choice; about 128 MiB and 0.3 s.
const cost = { N: 131_072, r: 8, p: 1, maxmem: 192 * 1024 * 1024 }

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(password.normalize('NFKC'), salt, 32, cost)
  return `scrypt$17$8$1$${salt.toString('base64url')}$${key.toString('base64url')}`
}

/** False for a wrong password and for a person without one; takes the same time for both. */
export async function passwordMatches(password: string, stored: string | null): Promise<boolean> {
  const [, , , , salt = '', key = ''] = (stored ?? nobody).split('$')
  const expected = Buffer.from(key, 'base64url')
  const actual = await derive(password.normalize('NFKC'), Buffer.from(salt, 'base64url'), 32, cost)
  return timingSafeEqual(expected, actual) && stored !== null
}

// A key that no password has been found for; only its length matters.
const nobody = `scrypt$17$8$1$${'A'.repeat(22)}$${'A'.repeat(43)}`
