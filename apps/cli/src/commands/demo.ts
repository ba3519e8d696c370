import { tmpdir } from 'node:os'
import { basename } from 'node:path'
import type { Command } from '../context.ts'
import { makeRepo } from '../demo/make-repo.ts'
import { prompt, script, title } from '../demo/project.ts'
import { finish } from './follow-task.ts'

/**
 * A whole task from its words to a proven branch, on a machine without a model: everything is real but the model, which
 * plays a script and says so.
 */
export const demo: Command<{ show?: boolean }> = async (context, options) => {
  const { output } = context
  if (options.show === true) {
    output.document(script)
    return 0
  }
  // First: without a hub nothing is made.
  const hub = await context.hub()
  const path = await makeRepo(tmpdir())
  const repo = await hub.call('addRepo', { body: { name: basename(path).toLowerCase(), url: path } })
  output.note(
    `A project with a failing test is at ${path}. The practice model works on it: it plays a script and has no intelligence.`,
  )
  const task = await hub.call('createTask', {
    body: {
      repo: repo.name,
      title,
      prompt,
      practice: JSON.stringify(script),
      tier: 'standard',
      checks: [{ kind: 'test_passes', target: 'auto' }],
      retries: 0,
    },
  })
  return finish(context, hub, task, { showOutput: false })
}
