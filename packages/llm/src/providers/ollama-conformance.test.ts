import { conformanceKey, describeModelConformance } from '../conformance.ts'
import { createModel } from './create-model.ts'

describeModelConformance({
  surface: 'ollama',
  makeModel: (baseUrl) =>
    createModel({
      provider: 'ollama',
      baseUrl,
      name: 'qwen3:8b',
      apiKey: conformanceKey,
      contextTokens: 8192,
    }),
})
