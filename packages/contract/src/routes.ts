import { z } from 'zod'
import { event, eventListQuery } from './events.ts'
import { me, passwordSet, signIn, signInLink, token, tokenCreate, tokenCreated } from './identity.ts'
import { messageRoutes } from './message-routes.ts'
import { repo, repoCreate } from './repos.ts'
import type { Route } from './route.ts'
import { taskSteps, taskStepsQuery } from './loop.ts'
import { costRoutes } from './routes-costs.ts'
import { modelRoutes } from './routes-models.ts'
import { run, taskDiff, taskLog, taskLogQuery } from './runs.ts'
import { page, task, taskCreate, taskListQuery, taskRef, taskRow } from './tasks.ts'
import { queueRoutes } from './routes-queue.ts'
import { workerVerbs } from './routes-workers.ts'
import { id, slugName } from './text.ts'
import { worker, workerRef, workerRestart } from './workers.ts'

const repoParams = z.strictObject({ name: slugName })
const ok = z.object({ ok: z.literal(true) })
const taskParams = z.strictObject({ task: taskRef })
const idParams = z.strictObject({ id })
const workerParams = z.strictObject({ worker: workerRef })
const nothing = z.strictObject({})

export const routes = {
  signIn: {
    method: 'POST',
    path: '/api/v1/sign-in',
    summary: 'Start a session with a one-time link or the password',
    who: 'anybody',
    body: signIn,
    status: 200,
    response: me,
  },
  signOut: {
    method: 'POST',
    path: '/api/v1/sign-out',
    summary: 'End this session',
    who: 'person',
    body: nothing,
    status: 200,
    response: ok,
  },
  createSignInLink: {
    method: 'POST',
    path: '/api/v1/sign-in-links',
    summary: 'Make a one-time sign-in link for oneself',
    who: 'person',
    body: nothing,
    status: 201,
    response: signInLink,
  },
  me: {
    method: 'GET',
    path: '/api/v1/me',
    summary: 'Who is asking',
    who: 'person',
    status: 200,
    response: me,
  },
  setPassword: {
    method: 'POST',
    path: '/api/v1/me/password',
    summary: 'Set the password; the current one is needed if there is one',
    who: 'person',
    body: passwordSet,
    secretBody: true,
    status: 200,
    response: ok,
  },
  listTokens: {
    method: 'GET',
    path: '/api/v1/tokens',
    summary: 'List tokens; secrets are never shown again',
    who: 'person',
    status: 200,
    response: page(token),
  },
  createToken: {
    method: 'POST',
    path: '/api/v1/tokens',
    summary: 'Make a personal token, or a token for one new worker',
    who: 'person',
    body: tokenCreate,
    status: 201,
    response: tokenCreated,
  },
  revokeToken: {
    method: 'DELETE',
    path: '/api/v1/tokens/:id',
    summary: 'Revoke a token; its connections are closed',
    who: 'person',
    params: idParams,
    status: 200,
    response: ok,
  },
  listRepos: {
    method: 'GET',
    path: '/api/v1/repos',
    summary: 'List repositories',
    who: 'person',
    status: 200,
    response: page(repo),
  },
  addRepo: {
    method: 'POST',
    path: '/api/v1/repos',
    summary: 'Register a repository by path or URL',
    who: 'person',
    body: repoCreate,
    status: 201,
    response: repo,
  },
  activateRepo: {
    method: 'POST',
    path: '/api/v1/repos/:name/activate',
    summary: 'Let tasks of this repository be assigned',
    who: 'person',
    params: repoParams,
    body: nothing,
    status: 200,
    response: repo,
  },
  deactivateRepo: {
    method: 'POST',
    path: '/api/v1/repos/:name/deactivate',
    summary: 'Keep tasks of this repository waiting; what runs goes on',
    who: 'person',
    params: repoParams,
    body: nothing,
    status: 200,
    response: repo,
  },
  listWorkers: {
    method: 'GET',
    path: '/api/v1/workers',
    summary: 'List workers with their walls',
    who: 'person',
    status: 200,
    response: page(worker),
  },
  getWorker: {
    method: 'GET',
    path: '/api/v1/workers/:worker',
    summary: 'Everything known of one worker',
    who: 'person',
    params: workerParams,
    status: 200,
    response: worker,
  },
  restartWorker: {
    method: 'POST',
    path: '/api/v1/workers/:worker/restart',
    summary: 'Let a worker restart itself; answered when it has announced that, within 10 s',
    who: 'person',
    params: workerParams,
    body: workerRestart,
    status: 200,
    response: worker,
  },
  ...workerVerbs,
  ...modelRoutes,
  ...costRoutes,
  listTasks: {
    method: 'GET',
    path: '/api/v1/tasks',
    summary: 'List tasks, newest first',
    who: 'person',
    query: taskListQuery,
    status: 200,
    response: page(taskRow),
  },
  createTask: {
    method: 'POST',
    path: '/api/v1/tasks',
    summary: 'Hand in a task',
    who: 'person',
    body: taskCreate,
    status: 201,
    response: task,
  },
  getTask: {
    method: 'GET',
    path: '/api/v1/tasks/:task',
    summary: 'One task with its evidence',
    who: 'person',
    params: taskParams,
    status: 200,
    response: task,
  },
  cancelTask: {
    method: 'POST',
    path: '/api/v1/tasks/:task/cancel',
    summary: 'Cancel a task in any state that is not an end',
    who: 'person',
    params: taskParams,
    body: nothing,
    status: 200,
    response: task,
  },
  retryTask: {
    method: 'POST',
    path: '/api/v1/tasks/:task/retry',
    summary: 'Queue a dead or cancelled task again',
    who: 'person',
    params: taskParams,
    body: nothing,
    status: 200,
    response: task,
  },
  ...queueRoutes,
  taskRuns: {
    method: 'GET',
    path: '/api/v1/tasks/:task/runs',
    summary: 'The attempts at a task, newest first',
    who: 'person',
    params: taskParams,
    status: 200,
    response: page(run),
  },
  taskLog: {
    method: 'GET',
    path: '/api/v1/tasks/:task/log',
    summary: 'Output of the runs of a task, in order',
    who: 'person',
    params: taskParams,
    query: taskLogQuery,
    status: 200,
    response: taskLog,
  },
  taskSteps: {
    method: 'GET',
    path: '/api/v1/tasks/:task/steps',
    summary: 'What the agent of a task did, step by step',
    who: 'person',
    params: taskParams,
    query: taskStepsQuery,
    status: 200,
    response: taskSteps,
  },
  taskDiff: {
    method: 'GET',
    path: '/api/v1/tasks/:task/diff',
    summary: 'What the last run changed',
    who: 'person',
    params: taskParams,
    status: 200,
    response: taskDiff,
  },
  listRuns: {
    method: 'GET',
    path: '/api/v1/runs',
    summary: 'List runs, newest first',
    who: 'person',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z.string().max(512).optional(),
    }),
    status: 200,
    response: page(run),
  },
  ...messageRoutes,
  listEvents: {
    method: 'GET',
    path: '/api/v1/events',
    summary: 'Events of this workspace in commit order',
    who: 'person',
    query: eventListQuery,
    status: 200,
    response: page(event),
  },
} as const satisfies Record<string, Route>

export type RouteName = keyof typeof routes
export type RouteOf<N extends RouteName> = (typeof routes)[N]

type Input<R, K extends string> = R extends Record<K, infer S extends z.ZodType> ? z.input<S> : undefined
type Output<R, K extends string> = R extends Record<K, infer S extends z.ZodType> ? z.output<S> : undefined

/** What a caller passes, and what a handler receives after parsing. */
export type RouteInput<N extends RouteName> = {
  params: Input<RouteOf<N>, 'params'>
  query: Input<RouteOf<N>, 'query'>
  body: Input<RouteOf<N>, 'body'>
}
export type RouteParsed<N extends RouteName> = {
  params: Output<RouteOf<N>, 'params'>
  query: Output<RouteOf<N>, 'query'>
  body: Output<RouteOf<N>, 'body'>
}
export type RouteResponse<N extends RouteName> = z.output<RouteOf<N>['response']>
