import type { ModelList } from '@muster/contract/models'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { Notice } from '../../ui/Notice.tsx'

/** Models that somebody asked for and nobody has, each with the command that brings it; it is for a person to run. */
export function MissingModels({ missing }: Pick<ModelList, 'missing'>) {
  return missing.map(({ name, wantedBy, command }) => (
    <Notice key={`${name} ${wantedBy}`} tone="warn" title={`${name} is missing, wanted by ${wantedBy}.`}>
      <p className="flex flex-wrap items-center gap-2">
        <span>To get it, on the machine of the Ollama:</span>
        <code className="font-mono [overflow-wrap:anywhere]">{command}</code>
        <CopyButton text={command} label={`Copy the command for ${name}`} />
      </p>
    </Notice>
  ))
}
