import { secretSettings, settings } from '../apps/cli/src/config.ts'

/** docs/configuration.md, from the schema that checks the environment. */
export function configurationPage(): string {
  const rows = Object.entries(settings.shape)
    .filter(([name]) => /^(MUSTER|OLLAMA|OPENAI|ANTHROPIC)_/.test(name))
    .map(([name, type]) => `| \`${name}\` | ${(type.description ?? '').replaceAll('|', '\\|')} |`)
  return `# Configuration

Written by \`npm run generate\` from \`apps/cli/src/config.ts\`. Muster is configured by its environment; a value that is not
valid stops the start with a sentence that names the key. Secrets may also be given as a file:
${secretSettings.map((name) => `\`${name}_FILE\``).join(', ')}.

| Key | Meaning |
|---|---|
${rows.join('\n')}
`
}
