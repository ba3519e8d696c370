import { z } from 'zod'
import { cloudSet, endpoint, endpointCreate, endpointRef, modelList, tierSet } from './models.ts'
import type { Route } from './route.ts'

const params = z.strictObject({ endpoint: endpointRef })
const nothing = z.strictObject({})

/** Where models live, and what people decide about them. */
export const modelRoutes = {
  listModels: {
    method: 'GET',
    path: '/api/v1/models',
    summary: 'Models by endpoint, and those that are wanted and missing',
    who: 'person',
    status: 200,
    response: modelList,
  },
  setModelTier: {
    method: 'POST',
    path: '/api/v1/models/tier',
    summary: 'Say which tasks a model is for, or let its size say it again',
    who: 'person',
    body: tierSet,
    status: 200,
    response: modelList,
  },
  allowCloud: {
    method: 'POST',
    path: '/api/v1/models/cloud',
    summary: 'Allow or forbid that tasks are sent to models on machines of others',
    who: 'person',
    body: cloudSet,
    status: 200,
    response: modelList,
  },
  addEndpoint: {
    method: 'POST',
    path: '/api/v1/endpoints',
    summary: 'Register a server of models; one that does not answer yet is taken and says so',
    who: 'person',
    body: endpointCreate,
    status: 201,
    response: endpoint,
  },
  getEndpoint: {
    method: 'GET',
    path: '/api/v1/endpoints/:endpoint',
    summary: 'One endpoint with its models',
    who: 'person',
    params,
    status: 200,
    response: endpoint,
  },
  refreshEndpoint: {
    method: 'POST',
    path: '/api/v1/endpoints/:endpoint/refresh',
    summary: 'Ask an endpoint now how it is and what it has',
    who: 'person',
    params,
    body: nothing,
    status: 200,
    response: endpoint,
  },
  removeEndpoint: {
    method: 'DELETE',
    path: '/api/v1/endpoints/:endpoint',
    summary: 'Forget an endpoint; what runs on it goes on',
    who: 'person',
    params,
    status: 200,
    response: z.object({ ok: z.literal(true) }),
  },
} as const satisfies Record<string, Route>
