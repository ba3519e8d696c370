import { ask, type Found } from '@muster/llm/discover/ask'
import type { Request } from './connection.ts'

type OllamaReport = Extract<Request, { type: 'ollama_report' }>

/**
 * What Ollama is beside this worker: which models it has, or that it does not answer any more (LLM-15). Null where there is
 * nothing to say: no machine is told of that never had one, and none whose hub looks for itself (`url` null).
 */
export function createLook(url: string | null): () => Promise<OllamaReport | null> {
  let known: Found[] = []
  let isKnown = false
  return async () => {
    if (url === null) return null
    const answer = await ask({ kind: 'ollama', url, key: null, named: [], known })
    if ('why' in answer) {
      return isKnown ? { type: 'ollama_report', url, version: null, models: null, problem: answer.why } : null
    }
    isKnown = true
    known = answer.models
    return { type: 'ollama_report', url, version: answer.version, models: answer.models, problem: null }
  }
}
