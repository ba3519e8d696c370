import { conformanceKey, describeModelConformance } from '../conformance.ts'
import { createModel } from './create-model.ts'

describeModelConformance({
  surface: 'anthropic',
  makeModel: (baseUrl) =>
    createModel({
      provider: 'anthropic',
      baseUrl,
      name: 'claude-fake',
      apiKey: conformanceKey,
      contextTokens: 8192,
    }),
})
