import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks again until the answer is neither false nor undefined nor an error, and answers it. For what other processes do in
 * their own time; a test of our own code should rather turn a fake clock.
 */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  options: { timeoutMs?: number; everyMs?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 5000, everyMs = 20, what = ask.toString() } = options
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await settle(ask)
    if ('value' in answer && answer.value !== false && answer.value !== undefined && answer.value !== null) {
      return answer.value
    }
    if (performance.now() > deadline) {
      throw new Error(
        `not true within ${timeoutMs} ms: ${what}`,
        'cause' in answer ? { cause: answer.cause } : {},
      )
    }
    await sleep(everyMs)
  }
}

async function settle<T>(ask: () => T | Promise<T>): Promise<{ value: T } | { cause: unknown }> {
  try {
    return { value: await ask() }
  } catch (cause) {
    return { cause }
  }
}
