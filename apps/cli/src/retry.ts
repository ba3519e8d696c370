// Together about 10 s: longer than a hub needs to be started again, shorter than a person waits.
const pauses = [200, 400, 800, 1_200, 1_600, 2_000, 2_000, 2_000]

/** How long to wait before the next try, or null to give up. Only for requests that may be repeated safely. */
export function pauseBefore(tries: number, failure: { code: string; status: number }): number | null {
  const passing = failure.status === 0 || [502, 503, 504].includes(failure.status)
  return passing && failure.code !== 'sandbox_unavailable' ? (pauses[tries] ?? null) : null
}
