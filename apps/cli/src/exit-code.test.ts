import { errorTable, type ErrorCode } from '@muster/contract/errors'
import { expect, test } from 'vitest'
import { exitCodeFor } from './exit-code.ts'

const wanted: Record<ErrorCode, number> = {
  invalid_request: 2,
  malformed_json: 2,
  body_too_large: 2,
  unsupported_media_type: 2,
  not_found: 3,
  idempotency_mismatch: 5,
  internal: 1,
  database_unavailable: 75,
  stopped_unrecorded: 75,
  database_full: 75,
  unauthenticated: 4,
  forbidden: 4,
  origin_refused: 4,
  host_refused: 4,
  sign_in_refused: 4,
  too_many_attempts: 75,
  repo_name_taken: 5,
  repo_not_found: 3,
  repo_not_git: 1,
  repo_empty: 1,
  repo_url_refused: 2,
  repo_unreachable: 1,
  task_state_refuses: 5,
  dependency_not_found: 3,
  nothing_to_do: 2,
  model_not_allowed: 4,
  wire_not_spoken: 2,
  model_unavailable: 69,
  price_unknown: 2,
  budget_exhausted: 1,
  call_limit_reached: 75,
  practice_script_invalid: 2,
  wall_not_supported: 2,
  worker_not_found: 3,
  worker_not_able: 5,
  deadline_past: 2,
  no_active_repo: 3,
  too_many_waiting: 75,
  too_many_running: 75,
  has_dependents: 5,
  stale_epoch: 5,
  worker_name_taken: 5,
  worker_already_connected: 5,
  worker_not_connected: 5,
  worker_not_supervised: 5,
  worker_not_answering: 69,
  worker_restarting: 69,
  run_lost: 69,
  disk_full: 69,
  wake_failed: 69,
  token_already_shown: 5,
  hello_required: 2,
  already_identified: 5,
  unknown_message_type: 2,
  invalid_message: 2,
  frame_too_large: 2,
  too_many_channels: 5,
  too_many_messages: 75,
  endpoint_name_taken: 5,
  endpoint_exists: 5,
  endpoint_not_found: 3,
  price_not_found: 3,
  endpoint_url_refused: 2,
  endpoint_from_settings: 5,
  too_many_endpoints: 5,
  model_not_found: 3,
  protocol_violation: 2,
  sandbox_unavailable: 69,
}

test.each(Object.entries(errorTable))('the exit code of %s is settled', (code, { status }) => {
  expect(exitCodeFor({ code, status })).toBe(wanted[code as ErrorCode])
})

test('an unknown code goes by its status', () => {
  expect(
    [400, 401, 404, 409, 429, 500, 502, 504].map((status) => exitCodeFor({ code: 'new', status })),
  ).toEqual([2, 4, 3, 5, 75, 1, 69, 69])
})

test('no answer at all is "unavailable"', () => {
  expect(exitCodeFor({ code: 'hub_unreachable', status: 0 })).toBe(69)
  expect(exitCodeFor({ code: 'anything', status: 0 })).toBe(69)
})

test('a code that is the name of something every object has is not found in the table', () => {
  expect(exitCodeFor({ code: 'constructor', status: 404 })).toBe(3)
})
