/**
 * `*` and `?` within one segment, `**` as a segment for any number of segments (none too); a trailing slash means
 * everything below. A pattern is matched from the root of the repository, and a leading dot is a character like any
 * other: `*` matches `.npmrc`, because whoever exempts a folder means all of it.
 *
 * Linear in practice and never exponential: the same greedy walk with one point of return is used for the segments of
 * a path and for the characters of a segment.
 */
export function matchesGlob(path: string, pattern: string): boolean {
  const whole = pattern.endsWith('/') ? `${pattern}**` : pattern
  return matchSequence(path.split('/'), whole.split('/'), {
    isStar: (segment) => segment === '**',
    matches: (segment, part) => matchSegment(segment, part),
  })
}

function matchSegment(segment: string, part: string): boolean {
  return matchSequence([...segment], [...part], {
    isStar: (char) => char === '*',
    matches: (char, wanted) => wanted === '?' || char === wanted,
  })
}

type Rules = { isStar: (part: string) => boolean; matches: (item: string, part: string) => boolean }

function matchSequence(
  items: readonly string[],
  parts: readonly string[],
  { isStar, matches }: Rules,
): boolean {
  let item = 0
  let part = 0
  let star = -1
  let starItem = 0
  while (item < items.length) {
    const wanted = parts[part]
    if (wanted !== undefined && isStar(wanted)) {
      star = part
      starItem = item
      part += 1
    } else if (wanted !== undefined && matches(items[item] ?? '', wanted)) {
      item += 1
      part += 1
    } else if (star >= 0) {
      starItem += 1
      item = starItem
      part = star + 1
    } else {
      return false
    }
  }
  return parts.slice(part).every(isStar)
}
