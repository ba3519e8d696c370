import type { Player } from './fake-options.ts'
import type { Answer } from './fake-server.ts'
import type { Catalogue } from './ollama-catalogue.ts'
import { refuseBody, refuseChat, refuseModel, type Refusal } from './ollama-chat-refusals.ts'
import { embed, vector } from './ollama-embed.ts'
import { createOllamaWire, goTime, omitEmpty, readOllamaChat } from './ollama-wire.ts'
import { answerWhole } from './play.ts'
import type { TurnRequest } from './turn.ts'

type Call = Parameters<Answer>[0]

/** What is behind the paths of Ollama's own API that take a body. */
export function createOllamaRoutes(player: Player, catalogue: Catalogue) {
  return {
    show: withModel((call, { model, name }) => answerJson(call, catalogue.show(model ?? name ?? '') ?? {})),

    async chat(call: Call) {
      const { text, body } = call.request
      const refusal = refuseChat(text, body, catalogue)
      if (refusal !== undefined) return refuse(call, refusal)
      const asked = body as OllamaBody
      catalogue.keep(asked.model, asked.keep_alive)
      if ((asked.messages ?? []).length === 0) {
        return answerJson(call, { ...loaded(asked), message: { role: 'assistant', content: '' } })
      }
      await play(call, asked, 'chat', (index) => readOllamaChat(asked, index))
    },

    generate: withModel(async (call, asked) => {
      catalogue.keep(asked.model, asked.keep_alive)
      const { prompt = '', system = '' } = asked
      if (prompt === '') return answerJson(call, { ...loaded(asked), response: '' })
      const messages = [
        ...(system === '' ? [] : [{ role: 'system', content: system }]),
        { role: 'user', content: prompt },
      ]
      const read = (index: number) => ({ ...readOllamaChat({ ...asked, messages }, index), body: asked })
      await play(call, asked, 'generate', read)
    }),

    embed: withModel((call, asked) => {
      const { contextLength = 0, embeddingLength = 0 } = catalogue.find(asked.model) ?? {}
      const made = embed(asked, { contextLength, embeddingLength })
      if ('error' in made) return refuse(call, made)
      catalogue.keep(asked.model, asked.keep_alive)
      const counted = omitEmpty({
        total_duration: 14_143_917,
        load_duration: 1_019_500,
        prompt_eval_count: made.tokens,
      })
      answerJson(call, { model: asked.model, embeddings: made.embeddings, ...counted })
    }),

    /** The older form, one text at a time. */
    embeddings: withModel((call, { model, prompt = '' }) => {
      const size = catalogue.find(model)?.embeddingLength ?? 0
      answerJson(call, { embedding: prompt === '' ? [] : vector(prompt, size) })
    }),
  }

  function withModel(answer: (call: Call, body: OllamaBody) => Promise<void> | void): Answer {
    return (call) => {
      const { text, body } = call.request
      const { model, name } = (body ?? {}) as OllamaBody
      const refusal = refuseBody(text, body) ?? refuseModel(model ?? name, catalogue)
      return refusal === undefined ? answer(call, body as OllamaBody) : refuse(call, refusal)
    }
  }

  function play(
    call: Call,
    asked: OllamaBody,
    path: 'chat' | 'generate',
    read: (index: number) => TurnRequest,
  ) {
    return player.play(call, {
      read,
      wire: createOllamaWire(asked.model, path),
      stream: asked.stream !== false,
      thinks: asked.think !== false,
    })
  }
}

type OllamaBody = {
  model: string
  name?: string
  messages?: unknown[]
  prompt?: string
  system?: string
  stream?: boolean
  think?: unknown
  keep_alive?: unknown
  input?: unknown
  [key: string]: unknown
}

/** A request that says nothing loads the model, or unloads it. */
function loaded({ model, keep_alive }: OllamaBody) {
  return {
    model,
    created_at: goTime(new Date()),
    done: true,
    done_reason: keep_alive === 0 ? 'unload' : 'load',
  }
}

export function answerJson(call: Call, body: object) {
  answerWhole(call, 200, JSON.stringify(body))
}

function refuse(call: Call, { status, error }: Refusal) {
  answerWhole(call, status, JSON.stringify({ error }))
}
