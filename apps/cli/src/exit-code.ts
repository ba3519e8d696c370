/** What a script can tell apart; 69 and 75 are those of sysexits.h. */
export const exits = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  conflict: 5,
  findings: 6,
  unavailable: 69,
  tryAgain: 75,
  interrupted: 130,
} as const

// Codes whose HTTP status alone would say too little: 422 covers a name that does not exist and a wrong word.
const byCode: Record<string, number> = {
  repo_not_found: exits.notFound,
  dependency_not_found: exits.notFound,
  worker_not_found: exits.notFound,
  no_active_repo: exits.notFound,
  repo_not_git: exits.failed,
  repo_empty: exits.failed,
  repo_unreachable: exits.failed,
  database_unavailable: exits.tryAgain,
  stopped_unrecorded: exits.tryAgain,
  database_full: exits.tryAgain,
  hub_timeout: exits.tryAgain,
  sandbox_unavailable: exits.unavailable,
  hub_unreachable: exits.unavailable,
  not_a_hub: exits.unavailable,
  not_running: exits.unavailable,
  no_token: exits.denied,
  port_taken: exits.conflict,
  usage: exits.usage,
  insecure_hub: exits.usage,
  invalid_setting: exits.usage,
}

const byStatus: Record<number, number> = {
  400: exits.usage,
  401: exits.denied,
  403: exits.denied,
  404: exits.notFound,
  408: exits.tryAgain,
  409: exits.conflict,
  413: exits.usage,
  415: exits.usage,
  421: exits.denied,
  422: exits.usage,
  425: exits.tryAgain,
  429: exits.tryAgain,
  502: exits.unavailable,
  503: exits.unavailable,
  504: exits.unavailable,
}

/** The exit code of a refusal. `status` is the HTTP status, 0 when nothing answered, null when nothing was asked. */
export function exitCodeFor(refusal: { code: string; status: number | null }): number {
  if (Object.hasOwn(byCode, refusal.code)) return byCode[refusal.code] ?? exits.failed
  if (refusal.status === 0) return exits.unavailable
  return refusal.status === null ? exits.failed : (byStatus[refusal.status] ?? exits.failed)
}
