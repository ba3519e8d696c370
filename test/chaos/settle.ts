import { setTimeout as sleep } from 'node:timers/promises'
import type { Outside, Violation } from './check/checker.ts'
import { readOpen, type Story } from './check/story.ts'
import { instant } from './clock.ts'
import type { History } from './load/history.ts'
import { branchesIn } from './rig/branches.ts'
import type { Reader } from './rig/reader.ts'
import type { Rig } from './rig/rig.ts'
import { drainLimitMs, orphanLimitMs } from './settings.ts'

/** Waits until every task of the round has ended. What does not end, or keeps a dead lease, is a violation. */
export async function drain(reader: Reader, prefix: string, healed: number): Promise<Violation[]> {
  let longest = 0
  for (;;) {
    const { open, overdueMs } = await reader.ask((client) => readOpen(client, prefix))
    const since = instant() - healed
    if (since > orphanLimitMs) longest = Math.max(longest, overdueMs)
    if (open.length === 0 || since > drainLimitMs) {
      const stuck = open.map((what) => ({ invariant: 'stuck', what }))
      const orphaned = longest > orphanLimitMs
      return orphaned ? [...stuck, { invariant: 'I-4', what: `a lease had ended ${longest} ms ago` }] : stuck
    }
    await sleep(60)
  }
}

/** What the rig knows of the tasks of a story without asking the database. */
export function outsideOf(rig: Rig, story: Story, told: ReturnType<History['take']>): Outside {
  const ids = new Set(story.tasks.map((task) => task.id))
  const branches = branchesIn(rig.branchesDir)
  return {
    told,
    effects: rig.effects().filter((effect) => ids.has(effect.taskId)),
    branchOf: (taskId: string) => branches.read(taskId).commit,
  }
}
