import { checkKinds } from '@muster/contract/checks'
import { Button, IconButton } from '../../ui/Button.tsx'
import { SelectField, TextField } from '../../ui/Field.tsx'
import type { CheckDraft, CheckKind, FieldProblems } from './task-form.ts'

const hints: Record<CheckKind, string> = {
  command_succeeds: 'npm run lint',
  test_passes: 'auto, or a command',
  file_exists: 'path/to/file',
  git_clean: 'nothing to name',
}

type CheckRowsProps = {
  checks: CheckDraft[]
  problems: FieldProblems
  onChange: (checks: CheckDraft[]) => void
}

export function CheckRows({ checks, problems, onChange }: CheckRowsProps) {
  const add = () => {
    const key = Math.max(0, ...checks.map((check) => check.key)) + 1
    onChange([...checks, { key, kind: 'command_succeeds', target: '' }])
  }
  const change = (key: number, part: Partial<CheckDraft>) =>
    onChange(checks.map((check) => (check.key === key ? { ...check, ...part } : check)))
  return (
    <fieldset className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-2">
      <legend className="mb-1 text-[0.8125rem] font-medium">Checks</legend>
      <p className="text-xs text-muted">
        Muster runs them itself, on the exact commit, after the last change. Only if all pass is the task
        done.
      </p>
      {checks.map((check, index) => (
        <div key={check.key} className="flex items-start gap-2">
          <div className="w-48 shrink-0 max-sm:w-36">
            <SelectField
              label={`Kind of check ${index + 1}`}
              hideLabel
              value={check.kind}
              onChange={(event) =>
                change(check.key, {
                  kind: checkKinds.find((kind) => kind === event.target.value) ?? 'command_succeeds',
                })
              }
            >
              {checkKinds.map((kind) => (
                <option key={kind}>{kind}</option>
              ))}
            </SelectField>
          </div>
          <div className="min-w-0 flex-1">
            <TextField
              label={`Target of check ${index + 1}`}
              hideLabel
              disabled={check.kind === 'git_clean'}
              value={check.kind === 'git_clean' ? '' : check.target}
              error={problems[`checks.${index}.target`]}
              placeholder={hints[check.kind]}
              spellCheck={false}
              className="font-mono disabled:opacity-60"
              onChange={(event) => change(check.key, { target: event.target.value })}
            />
          </div>
          <IconButton
            label={`Remove check ${index + 1}`}
            icon="cross"
            onClick={() => onChange(checks.filter(({ key }) => key !== check.key))}
          />
        </div>
      ))}
      <Button icon="plus" onClick={add} className="justify-self-start">
        Add check
      </Button>
    </fieldset>
  )
}
