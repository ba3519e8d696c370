import { conformanceKey, describeModelConformance } from '../conformance.ts'
import { createModel } from './create-model.ts'

describeModelConformance({
  surface: 'openai',
  makeModel: (baseUrl) =>
    createModel({
      provider: 'openai',
      baseUrl,
      name: 'gpt-fake',
      apiKey: conformanceKey,
      contextTokens: 8192,
    }),
})
