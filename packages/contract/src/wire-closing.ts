/** Why the hub ends the connection of a worker. The reason in the closing frame is a code of errors.ts where one fits. */
export const closing = {
  hubStops: { code: 1001, when: 'The hub stops.', next: 'Connect again; what you run goes on.' },
  frameTooLarge: {
    code: 1009,
    when: 'A message was too large; an `error` with `frame_too_large` came before it, if it could be read at all.',
    next: 'Connect again and send less.',
  },
  replaced: {
    code: 4000,
    when: 'The same instance has connected again.',
    next: 'Nothing; your newer connection counts.',
  },
  noHello: { code: 4001, when: 'There was no hello in time.', next: 'Say hello first.' },
  tooManyBad: {
    code: 4002,
    when: 'Too many messages did not fit; each was answered with an `error`.',
    next: 'Correct your program.',
  },
  revoked: {
    code: 4003,
    when: 'The token does not count any more.',
    next: 'Stop; a person must give you another.',
  },
  notLetIn: {
    code: 4009,
    when: 'Your hello was refused; an `error` said why and the reason is its code.',
    next: 'For `worker_already_connected` wait, longer each time; else stop.',
  },
  failed: {
    code: 4011,
    when: 'The hub or its database failed.',
    next: 'Connect again, and send again what was not answered.',
  },
} as const
