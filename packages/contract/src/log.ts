const secretKeys = ['token', 'secret', 'password', 'authorization', 'cookie']

/**
 * How every process of ours logs: one line of JSON with `level`, `time`, `pid`, `hostname`, `name` and `msg`, so that
 * the logs of hubs and workers can be read as one. Secrets never reach a log call, and these keys never print.
 */
export function logOptions({ name, level }: { name: string; level: string }) {
  const paths = secretKeys.flatMap((key) => [key, `*.${key}`])
  return { name, level, redact: { paths, censor: '[secret]' } }
}
