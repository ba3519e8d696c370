// Together about 10 s: longer than a hub needs to be started again, shorter than a person waits.
const pauses = [200, 400, 800, 1_200, 1_600, 2_000, 2_000, 2_000]

// It has had its effect; a database that is being started again has it recorded by the second time.
const toRecord = [1_000, 2_000, 3_000]
// Nothing of these gets better by waiting for seconds.
const lasting = ['sandbox_unavailable', 'database_full']

/** How long to wait before the next try, or null to give up. Only for requests that may be repeated safely. */
export function pauseBefore(tries: number, failure: { code: string; status: number }): number | null {
  const passing = failure.status === 0 || [502, 503, 504].includes(failure.status)
  if (!passing || lasting.includes(failure.code)) return null
  return (failure.code === 'stopped_unrecorded' ? toRecord : pauses)[tries] ?? null
}
