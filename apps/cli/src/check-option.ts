import { checkKinds } from '@muster/contract/checks'
import { Failure } from './failure.ts'

export type CheckOption = { kind: (typeof checkKinds)[number]; target: string }

/** `KIND:TARGET`, split at the first colon only, because commands and paths hold colons; `git_clean` stands alone. */
export function parseCheck(text: string): CheckOption {
  const colon = text.indexOf(':')
  const name = colon === -1 ? text : text.slice(0, colon)
  const target = colon === -1 ? '' : text.slice(colon + 1)
  const kind = checkKinds.find((known) => known === name)
  if (kind === undefined) {
    throw new Failure(
      'usage',
      `"${name}" is not a kind of check; there are ${checkKinds.join(', ')}.`,
      'Write --check KIND:TARGET, for example --check "command_succeeds:npm test".',
    )
  }
  if (kind === 'git_clean' && target !== '') {
    throw new Failure('usage', 'git_clean takes no target.', 'Write --check git_clean.')
  }
  if (kind !== 'git_clean' && target.trim() === '') {
    throw new Failure('usage', `${kind} needs a target.`, `Write --check "${kind}:${examples[kind]}".`)
  }
  return { kind, target }
}

const examples: Record<CheckOption['kind'], string> = {
  file_exists: 'README.md',
  command_succeeds: 'grep -q MIT LICENSE',
  test_passes: 'auto',
  git_clean: '',
}
