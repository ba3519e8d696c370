import type { Statement } from '../../kernel/db.ts'
import { checkAgainMs, checkEveryMs, reportStaleMs } from '../health.ts'

/** Asking one may take this long in all: two rounds of 5 s. */
const claimMs = 15_000

/**
 * Takes the endpoints whose check is due, of all workspaces; the claim keeps other hubs from asking the same at this
 * moment and ends by itself, so one that dies leaves nothing behind. Those of workers are not asked: only their worker
 * can, and says.
 */
export const claimDue: Statement = {
  name: 'endpoints_claim_due',
  text: `update endpoints e set claimed_until = now() + interval '${claimMs} milliseconds'
         where (e.workspace_id, e.id) in (
           select workspace_id, id from endpoints
           where source <> 'worker' and claimed_until < now()
             and (checked_at is null or check_wanted
               or checked_at < now() - case when failures = 1 then interval '${checkAgainMs} milliseconds'
                                            else interval '${checkEveryMs} milliseconds' end)
           order by checked_at nulls first limit 50 for update skip locked)
         returning e.workspace_id, e.id`,
}

/** Of those that no worker has spoken of for too long: nothing is known any more. */
export const silent: Statement = {
  name: 'endpoints_silent',
  text: `select workspace_id, id from endpoints
         where source = 'worker' and health <> 'unhealthy'
           and coalesce(checked_at, created_at) < now() - interval '${reportStaleMs} milliseconds'
         limit 50`,
}

/** A hub that starts knows nothing of any endpoint (LLM-11). Runs that are under way are not touched. */
export const forgetHealth: Statement = {
  name: 'endpoints_forget_health',
  text: `update endpoints set health = 'unknown', health_since = now(), failures = 0, error = null,
           check_wanted = source <> 'worker', claimed_until = '-infinity'`,
}
