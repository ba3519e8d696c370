/** Where a wire leads, made safe to use: see `create-model.ts`. */
export type HttpPlace = {
  /** Without name and password, and with a slash at its end. */
  baseUrl: URL
  name: string
  contextTokens: number
  apiKey?: string
  headers: Record<string, string>
  /** Ollama: how long the server keeps the model loaded; its own default when absent. */
  keepAlive?: string | number
}
