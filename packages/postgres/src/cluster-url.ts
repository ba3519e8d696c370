export interface DatabaseAddress {
  user: string
  password: string
  database: string
}

/**
 * The socket is given as a parameter, where pg and libpq look first. The host name is there only because a URL with a
 * user but without a host is not one for `new URL`.
 */
export function clusterUrl(socket: { socketDir: string; port: number }, address: DatabaseAddress): string {
  const user = encodeURIComponent(address.user)
  const password = encodeURIComponent(address.password)
  const database = encodeURIComponent(address.database)
  const host = encodeURIComponent(socket.socketDir)
  return `postgres://${user}:${password}@localhost:${socket.port}/${database}?host=${host}`
}
