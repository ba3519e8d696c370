/** Ollama itself accepts `host`, `host:port` and URLs; an address to listen on is not one to connect to. */
export function ollamaAddress(text: string | undefined): string {
  const given = (text ?? '127.0.0.1:11434').trim().replace(/\/+$/, '')
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(given)?.[0]
  const rest = given.slice(scheme?.length ?? 0).replace(/^0\.0\.0\.0(?=:|$)/, '127.0.0.1')
  const port = scheme !== undefined || /:\d+$/.test(rest) ? '' : ':11434'
  return `${scheme ?? 'http://'}${rest}${port}`
}
