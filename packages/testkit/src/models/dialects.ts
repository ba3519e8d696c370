import type { ScriptedCall, TextualDialect, Turn } from './turn.ts'

/** The turn with its calls moved into its text. */
export function inDialect(turn: Turn, dialect = turn.dialect): Turn {
  const { calls = [], text = '', ...rest } = turn
  if (dialect === undefined || calls.length === 0) return turn
  const written = calls.map((call) => writeCall(call, dialect)).join('\n')
  return { ...rest, text: text === '' ? written : `${text}\n${written}` }
}

export function writeCall(call: ScriptedCall, dialect: TextualDialect): string {
  const args = call.rawArgs ?? JSON.stringify(call.args ?? {})
  const object =
    call.name === null
      ? `{"arguments": ${args}}`
      : `{"name": ${JSON.stringify(call.name)}, "arguments": ${args}}`
  switch (dialect) {
    case 'tool_call_json':
      return `<tool_call>\n${object}\n</tool_call>`
    case 'fenced_json':
      return `\`\`\`json\n${object}\n\`\`\``
    case 'bare_json':
      return object
    case 'function_xml':
      return `<tool_call>\n<function=${call.name ?? ''}>\n${parameters(call)}</function>\n</tool_call>`
  }
}

/** Text stands as it is, everything else as JSON: a model of this dialect writes no quotes around text. */
function parameters(call: ScriptedCall): string {
  return Object.entries((call.args ?? {}) as Record<string, unknown>)
    .map(([name, value]) => {
      const written = typeof value === 'string' ? value : JSON.stringify(value)
      return `<parameter=${name}>\n${written}\n</parameter>\n`
    })
    .join('')
}
