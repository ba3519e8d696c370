/** Without the part of a UTF-8 character that a cut left at the end. */
export function wholeCharacters(bytes: Buffer): Buffer {
  let at = bytes.length - 1
  while (at >= 0 && at > bytes.length - 4 && ((bytes[at] as number) & 0xc0) === 0x80) at -= 1
  if (at < 0) return bytes
  const lead = bytes[at] as number
  const needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return at + needed > bytes.length ? bytes.subarray(0, at) : bytes
}

/** Without the part of a character that a cut left at the start. */
export function fromWholeCharacter(bytes: Buffer): Buffer {
  let at = 0
  while (at < 4 && at < bytes.length && ((bytes[at] as number) & 0xc0) === 0x80) at += 1
  return bytes.subarray(at)
}
