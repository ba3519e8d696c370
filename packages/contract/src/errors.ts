import { z } from 'zod'

/**
 * Every refusal Muster can answer with: its HTTP status, when it happens and what to do next.
 * A code is thrown at exactly one place in meaning; docs/errors.md is generated from this table.
 */
export type ErrorEntry = { status: number; when: string; hint: string }

export const errorTable = {
  // Requests
  invalid_request: {
    status: 400,
    when: 'The body, the query or a path parameter does not fit the schema.',
    hint: 'Correct the named field; the schema is in /api/v1/openapi.json.',
  },
  malformed_json: {
    status: 400,
    when: 'The body, or the message on a socket, is not JSON text.',
    hint: 'Send JSON; a body with Content-Type: application/json, a message as a text frame.',
  },
  body_too_large: {
    status: 413,
    when: 'The body is larger than 1 MiB.',
    hint: 'Send less; put large inputs into the repository.',
  },
  unsupported_media_type: {
    status: 415,
    when: 'The body is declared as something other than JSON.',
    hint: 'Send Content-Type: application/json.',
  },
  not_found: {
    status: 404,
    when: 'Nothing of this workspace has that address.',
    hint: 'List what exists first; ids of other workspaces are not visible.',
  },
  idempotency_mismatch: {
    status: 409,
    when: 'The Idempotency-Key was used before with another request.',
    hint: 'Use a new key for a new request.',
  },
  internal: {
    status: 500,
    when: 'Muster failed in a way it did not foresee.',
    hint: 'Look at the hub log with the request id; nothing was changed.',
  },
  database_unavailable: {
    status: 503,
    when: 'The database does not answer.',
    hint: 'Try again in a few seconds; "npx muster doctor" says what is wrong if it stays.',
  },
  stopped_unrecorded: {
    status: 503,
    when: 'Workers were told to stop while the database did not answer, so it is not known to be recorded.',
    hint: 'Repeat it once the database answers: what was stopped is queued again then and would start.',
  },
  database_full: {
    status: 503,
    when: 'The disk of the database is full, or nearly so; what is there goes on, nothing new is taken.',
    hint: 'Make room on that disk; nothing has to be started again. MUSTER_DATABASE_RESERVE is what must stay free.',
  },
  // Who is asking
  unauthenticated: {
    status: 401,
    when: 'No valid token or session came with the request.',
    hint: 'Send Authorization: Bearer TOKEN, or sign in on the page.',
  },
  forbidden: {
    status: 403,
    when: 'The token is valid but may not do this.',
    hint: 'A worker token serves workers only; use a personal token.',
  },
  origin_refused: {
    status: 403,
    when: 'The request comes from a page of another origin.',
    hint: 'Open Muster at the address it printed; other sites may not call it.',
  },
  host_refused: {
    status: 421,
    when: 'The Host header is not an address of this hub.',
    hint: 'Use the address the hub printed, for example http://127.0.0.1:4600.',
  },
  sign_in_refused: {
    status: 401,
    when: 'The sign-in link is unknown, used or expired, or the password is wrong.',
    hint: 'Make a new link with "npx muster sign-in".',
  },
  too_many_attempts: {
    status: 429,
    when: 'Too many failed sign-ins in 15 minutes.',
    hint: 'Wait, or make a one-time link with "npx muster sign-in".',
  },
  // Repositories
  repo_name_taken: {
    status: 409,
    when: 'A repository of this workspace has that name.',
    hint: 'Choose another name.',
  },
  repo_not_found: {
    status: 422,
    when: 'No repository has that name, or nothing is at its path or URL.',
    hint: 'See "npx muster repo list"; add it with "npx muster repo add NAME PATH".',
  },
  repo_not_git: {
    status: 422,
    when: 'The path exists but is not a git repository.',
    hint: 'Run "git init" and commit there, or name another path.',
  },
  repo_empty: {
    status: 422,
    when: 'The repository has no commit to branch from.',
    hint: 'Make a first commit there, then try again.',
  },
  repo_url_refused: {
    status: 422,
    when: 'The address is not an absolute path, file://, https:// or ssh URL.',
    hint: 'Use an absolute path or an https or ssh URL.',
  },
  repo_unreachable: {
    status: 422,
    when: 'git could not read the repository.',
    hint: 'Check the address and the rights of the user that runs Muster.',
  },
  // Tasks and runs
  task_state_refuses: {
    status: 409,
    when: 'The state of the task does not allow this.',
    hint: 'See "npx muster task show" for the state and what it allows.',
  },
  dependency_not_found: {
    status: 422,
    when: 'A task named in "after" does not exist in this workspace.',
    hint: 'Name existing tasks; a task may only wait for older ones.',
  },
  nothing_to_do: {
    status: 422,
    when: 'The task has neither a command nor a prompt, or both.',
    hint: 'Give either --run COMMAND or --prompt TEXT.',
  },
  model_not_allowed: {
    status: 403,
    when: 'A run asks the gateway for another model than the one that was chosen for it.',
    hint: 'Ask for the model of the run; "npx muster task show" names it.',
  },
  wire_not_spoken: {
    status: 422,
    when: 'The endpoint of the run does not speak the wire of this address.',
    hint: 'Use the address of the wire that the endpoint speaks.',
  },
  model_unavailable: {
    status: 502,
    when: 'The endpoint of the model does not answer the gateway.',
    hint: 'See "npx muster model list" for how it does.',
  },
  price_unknown: {
    status: 422,
    when: 'The model is paid for and its price is not known.',
    hint: 'Say what it costs: npx muster cost price set MODEL INPUT OUTPUT, in US dollars per million tokens; or use a local model.',
  },
  price_not_found: {
    status: 404,
    when: 'The workspace has no price of its own for this model.',
    hint: 'See which there are: npx muster cost price list.',
  },
  budget_exhausted: {
    status: 402,
    when: 'The next call of a model could cost more than a budget has left.',
    hint: 'See npx muster cost; hand the task in again with a larger --budget, or raise the limit of the workspace: npx muster cost budget USD.',
  },
  call_limit_reached: {
    status: 429,
    when: 'The hub has asked models for itself as often as it may in what it is doing.',
    hint: 'It goes on when an hour or a day has passed; see npx muster cost calls, and change it: npx muster cost limit STATE HOUR DAY.',
  },
  practice_script_invalid: {
    status: 422,
    when: 'The script of the practice model cannot be read, or the practice model is asked for without one.',
    hint: 'Correct the named field; "npx muster demo --show" prints a script that works.',
  },
  wall_not_supported: {
    status: 422,
    when: 'The task asks for a wall or a network that no worker of this version offers.',
    hint: 'Use --wall namespace and --network none.',
  },
  worker_not_found: {
    status: 422,
    when: 'No worker of this workspace has that name.',
    hint: 'See "npx muster worker list".',
  },
  worker_not_able: {
    status: 409,
    when: 'The worker cannot take this task now: it is away, cordoned, full or lacks what the task needs.',
    hint: 'The message names what is missing; choose another worker or let the queue choose.',
  },
  deadline_past: {
    status: 422,
    when: 'The task is to be complete by a time that has passed, or before its delay is over.',
    hint: 'Give a later time.',
  },
  no_active_repo: {
    status: 422,
    when: 'The task names no repository and the workspace has no active one.',
    hint: 'Name one with --repo, or activate one with "npx muster repo activate NAME".',
  },
  too_many_waiting: {
    status: 429,
    when: 'The workspace has as many waiting tasks as it may have.',
    hint: 'Try again later, cancel some, or raise MUSTER_MAX_WAITING.',
  },
  too_many_running: {
    status: 429,
    when: 'The workspace runs as many tasks at once as it may.',
    hint: 'Wait until one ends, or raise MUSTER_MAX_RUNNING.',
  },
  has_dependents: {
    status: 409,
    when: 'Other tasks wait for this one, so it cannot be deleted.',
    hint: 'Delete or cancel those first.',
  },
  stale_epoch: {
    status: 409,
    when: 'The write belongs to a run that lost its lease; a newer one may exist.',
    hint: 'Stop the run; its work is not accepted any more.',
  },
  // Workers
  worker_name_taken: {
    status: 409,
    when: 'A worker of this workspace has that name.',
    hint: 'Choose another name; the names of former workers stay taken.',
  },
  worker_already_connected: {
    status: 409,
    when: 'Another process is connected with this worker token.',
    hint: 'Give each worker its own token: "npx muster token create --worker NAME".',
  },
  worker_not_connected: {
    status: 409,
    when: 'The worker is away, so nothing can be ordered of it.',
    hint: 'See "npx muster worker list"; start it on its machine.',
  },
  worker_not_supervised: {
    status: 409,
    when: 'Nobody would start the worker again, so it must not end by itself.',
    hint: 'Run it with "npx muster worker join" or as a service: "npx muster worker install".',
  },
  worker_not_answering: {
    status: 504,
    when: 'The worker did not announce its restart within 10 s of the order.',
    hint: 'Look at the log of the worker on its machine; restart it there if it hangs.',
  },
  worker_restarting: {
    status: 503,
    when: 'A worker refused a task because it restarts itself.',
    hint: 'Nothing to do; the task has gone back to the queue.',
  },
  run_lost: {
    status: 503,
    when: 'A worker stopped a run because it restarts itself and the time for that was over.',
    hint: 'Nothing to do; the task has gone back to the queue. MUSTER_RESTART_GRACE is the time.',
  },
  disk_full: {
    status: 503,
    when: 'A worker refused a task because its disk is nearly full.',
    hint: 'Make room below the data directory of the worker: 10 % or 1 GB, whichever is less, must be free.',
  },
  wake_failed: {
    status: 503,
    when: 'The wake command of the worker is not there or failed four times.',
    hint: 'Run the command of MUSTER_WAKE by hand on the machine of the worker.',
  },
  token_already_shown: {
    status: 409,
    when: 'The request that made this token was repeated; a token is shown only once.',
    hint: 'Revoke it and create another one.',
  },
  hello_required: {
    status: 400,
    when: 'A client of the worker socket said something else, or nothing for 10 s, before its hello.',
    hint: 'Send a "hello" first and wait for the "welcome".',
  },
  already_identified: {
    status: 409,
    when: 'A worker said hello a second time on one connection.',
    hint: 'Say hello once for each connection; what changes later has messages of its own.',
  },
  unknown_message_type: {
    status: 400,
    when: 'A worker sent a message of a type that does not exist.',
    hint: 'The types are in docs/protocol.md; update the worker if it is older or newer than the hub.',
  },
  invalid_message: {
    status: 400,
    when: 'A field of a worker’s message does not fit.',
    hint: 'Correct the named field; docs/protocol.md has what each message holds.',
  },
  frame_too_large: {
    status: 413,
    when: 'A message of a worker is larger than 4 MiB. The connection is closed with 1009.',
    hint: 'Send less: cut the diff and the output of checks, and split output into batches.',
  },
  too_many_channels: {
    status: 409,
    when: 'The workspace has 1 000 channels.',
    hint: 'Use one that is there; "npx muster channel list" names them.',
  },
  too_many_messages: {
    status: 429,
    when: 'The sender has posted 60 messages within a minute.',
    hint: 'Wait as long as the message says; put several lines into one message.',
  },
  // Models
  endpoint_name_taken: {
    status: 409,
    when: 'Another endpoint of the workspace has this name.',
    hint: 'Choose another name, or remove the other one first.',
  },
  endpoint_exists: {
    status: 409,
    when: 'The address is an endpoint of the workspace already.',
    hint: 'Use it under the name that it has; "npx muster model list" shows it.',
  },
  endpoint_not_found: {
    status: 404,
    when: 'No endpoint of the workspace has this name.',
    hint: 'List them with "npx muster model list".',
  },
  endpoint_url_refused: {
    status: 422,
    when: 'The address of an endpoint is not one of a server of models.',
    hint: 'Give http://HOST:PORT or https://HOST, without credentials, query and fragment.',
  },
  endpoint_from_settings: {
    status: 409,
    when: 'An endpoint that the environment of the hub names was to be removed; it would come back.',
    hint: 'Unset MUSTER_OLLAMA_URL, OPENAI_API_KEY or ANTHROPIC_API_KEY and start the hub again.',
  },
  too_many_endpoints: {
    status: 409,
    when: 'The workspace has 100 endpoints.',
    hint: 'Remove those that are not used.',
  },
  model_not_found: {
    status: 404,
    when: 'No endpoint has a model of this name.',
    hint: 'List them with "npx muster model list"; a name is exact, its tag included.',
  },
  protocol_violation: {
    status: 400,
    when: 'A worker sent something that no honest worker sends, or more than ten bad messages on one connection.',
    hint: 'Update the worker to the version of the hub; a client of your own follows docs/protocol.md.',
  },
  sandbox_unavailable: {
    status: 503,
    when: 'The worker has no working wall of the kind that the task needs.',
    hint: 'Run "npx muster doctor" on the worker; it names the one command that helps.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorTable

/** Failures that a client meets without an answer of the hub. The CLI's exit code follows from them too. */
export const clientErrorTable = {
  hub_unreachable: {
    when: 'No hub answers at the address.',
    hint: 'Start it with "npm start", or set MUSTER_HUB.',
  },
  hub_timeout: {
    when: 'The hub did not answer in time.',
    hint: 'Try again; "npx muster status" says whether it serves.',
  },
  not_a_hub: {
    when: 'Something that is not Muster answers at the address.',
    hint: 'Check MUSTER_HUB and MUSTER_PORT.',
  },
  version_mismatch: {
    when: 'The hub answers in a form that this client does not know.',
    hint: 'Use a client of the hub’s version.',
  },
  no_token: {
    when: 'There is no token for the hub.',
    hint: 'Set MUSTER_TOKEN, or run the command where the hub runs.',
  },
  insecure_hub: {
    when: 'The hub is on another machine and its address is not https.',
    hint: 'Use https or a tunnel; a token must not cross a network in the clear.',
  },
  usage: { when: 'The command or an option is not understood.', hint: 'Add --help for what there is.' },
  invalid_setting: {
    when: 'An environment variable has a value that is not valid.',
    hint: 'docs/configuration.md names the valid ones.',
  },
  no_systemd: {
    when: 'systemd does not run this machine.',
    hint: 'Use "npx muster worker join"; with --print the unit can be looked at anywhere.',
  },
  unit_not_ours: {
    when: 'A file of the service was not written by "muster worker install".',
    hint: 'Choose another --name, or move the file away.',
  },
  not_running: { when: 'Muster does not run here.', hint: 'Start it with "npm start".' },
  port_taken: { when: 'Another program listens on the port.', hint: 'Stop it, or set MUSTER_PORT.' },
  port_refused: { when: 'This user may not listen on the port.', hint: 'Set MUSTER_PORT to one above 1023.' },
  start_failed: {
    when: 'A part of Muster did not start.',
    hint: 'The message names its log; "npx muster doctor" may know.',
  },
  stop_failed: { when: 'A process did not end.', hint: 'The message names it; look at it with ps.' },
  gave_up: { when: 'A part ended again and again and is not started any more.', hint: 'Its log says why.' },
  interrupted: { when: 'The command was stopped by a signal.', hint: 'What it had asked for goes on.' },
} as const

export const errorBody = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  docs: z.string(),
  requestId: z.string().optional(),
})
export type ErrorBody = z.infer<typeof errorBody>

export function docsFor(code: string): string {
  return `docs/errors.md#${code}`
}
