export type ServerSettings = Record<string, string>

/**
 * What differs from PostgreSQL's defaults, and why. Given on the command line, where they win over postgresql.conf and
 * ALTER SYSTEM. Dynamic shared memory is left as initdb found it: it tries what works on this machine.
 */
const defaultSettings: ServerSettings = {
  // The database shares the machine with the hub, a worker and models; the operating system's cache does the rest.
  shared_buffers: '64MB',
  max_connections: '60',
  // Short statements only: compiling them costs more than it saves.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  log_line_prefix: '%m [%p] %q%u@%d ',
}

/** What callers may not choose: without these the guarantees above the database are void. */
function fixedSettings(socketDir: string, port: number, logDir: string): ServerSettings {
  return {
    listen_addresses: '',
    port: String(port),
    unix_socket_directories: `"${socketDir}"`,
    unix_socket_permissions: '0700',
    logging_collector: 'on',
    log_destination: 'stderr',
    log_directory: logDir,
    log_filename: 'server-%Y%m%d-%H%M%S.log',
    log_rotation_size: '10MB',
    log_rotation_age: '0',
  }
}

export function serverArguments(
  place: { data: string; socketDir: string; port: number; logDir: string },
  overrides: ServerSettings,
): string[] {
  const settings = {
    fsync: 'on',
    full_page_writes: 'on',
    ...defaultSettings,
    ...overrides,
    ...fixedSettings(place.socketDir, place.port, place.logDir),
  }
  return [
    '-D',
    place.data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}
