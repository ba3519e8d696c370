export type Finding = {
  id: string
  title: string
  status: 'ok' | 'warn' | 'fail' | 'skip'
  detail: string
  /** One command or one sentence that helps. */
  fix?: string
}

export type Verdict = Pick<Finding, 'status' | 'detail' | 'fix'>

export const ok = (detail: string): Verdict => ({ status: 'ok', detail })
export const skip = (detail: string): Verdict => ({ status: 'skip', detail })
export const warn = (detail: string, fix: string): Verdict => ({ status: 'warn', detail, fix })
export const fail = (detail: string, fix: string): Verdict => ({ status: 'fail', detail, fix })

export type Check = { id: string; title: string; look: () => Promise<Verdict> }

// All checks run at once, so this is also about how long the whole takes.
const limitMs = 4_000

/** A check that breaks is a finding of its own and never hides the others. */
export async function look(check: Check): Promise<Finding> {
  const { id, title } = check
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<Verdict>((resolve) => {
    timer = setTimeout(
      () =>
        resolve(fail(`no answer within ${limitMs / 1_000} s`, 'Try again when the machine is less busy.')),
      limitMs,
    )
  })
  try {
    return { id, title, ...(await Promise.race([check.look(), late])) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return {
      id,
      title,
      ...fail(`could not be checked: ${why}`, 'Look at the message; it names what is in the way.'),
    }
  } finally {
    clearTimeout(timer)
  }
}
