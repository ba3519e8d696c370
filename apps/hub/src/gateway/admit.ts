import type { ChosenModel } from '@muster/contract/loop'
import type { EndpointKind } from '@muster/contract/models'
import type { Costs } from '../costs/costs.ts'
import type { Db } from '../kernel/db.ts'
import { MusterError } from '../kernel/errors.ts'
import type { Models } from '../models/models.ts'
import type { GatewayRun, Runs } from '../runs/runs.ts'
import { bounded, estimatedInput, protocols, type GatewayPath } from './protocols.ts'

export type Upstream = { kind: EndpointKind; url: string; key: string | null }

export type Admitted = {
  run: GatewayRun
  upstream: Upstream
  body: Record<string, unknown>
  /** What was reserved; null for a model that costs nothing. */
  reservation: string | null
}

export type GatewayDeps = { db: Db; runs: Runs; models: Models; costs: Costs }

/**
 * Whether a call may go through, decided before anything leaves: the token is that of an open run which holds its lease, the
 * model is the one that routing chose for it, its endpoint speaks this wire, and no budget is too small for the most
 * that the call can cost. The reservation is committed when this returns.
 */
export async function admit(
  { db, runs, models, costs }: GatewayDeps,
  request: { path: GatewayPath; token: string | undefined; body: Record<string, unknown> },
): Promise<Admitted> {
  const run = request.token === undefined ? undefined : await runs.byGatewayToken(request.token)
  if (run === undefined) {
    throw new MusterError('unauthenticated', 'No token of a run that is open came with this request.')
  }
  const { model } = run
  if (request.body['model'] !== model.name) {
    throw new MusterError('model_not_allowed', `This run may ask ${model.name} and no other model.`)
  }
  const spender = {
    workspaceId: run.workspaceId,
    goalId: null,
    taskId: run.taskId,
    runId: run.runId,
    agent: run.agent,
    worker: run.worker,
    workerId: run.workerId,
    purpose: 'task' as const,
  }
  const admitted = db.inWorkspace(run.workspaceId, async (tx) => {
    await runs.mustBeHeld(tx, run)
    const upstream = await models.upstream(tx, model.endpoint)
    mustSpeak(request.path, model, upstream)
    const { body, outputTokens } = bounded(request.path, request.body)
    if (model.costClass !== 'api') return { run, upstream, body, reservation: null }
    if (run.budgetMicroUsd !== null) {
      await costs.setLimit(tx, run.workspaceId, { scope: 'task', id: run.taskId }, run.budgetMicroUsd)
    }
    const most = { inputTokens: estimatedInput(body), outputTokens }
    const { id } = await costs.reserve(tx, spender, model, most)
    return { run, upstream, body, reservation: id }
  })
  return admitted.catch(async (error: unknown) => {
    if (error instanceof MusterError && error.code === 'budget_exhausted') {
      await db.inWorkspace(run.workspaceId, (tx) => costs.tellExhausted(tx, spender, error.message))
    }
    throw error
  })
}

function mustSpeak(path: GatewayPath, model: ChosenModel, { kind }: Upstream): void {
  const spokenBy: readonly EndpointKind[] = protocols[path].spokenBy
  if (spokenBy.includes(kind)) return
  throw new MusterError('wire_not_spoken', `${model.endpoint} speaks the wire of ${kind} and not ${path}.`)
}
