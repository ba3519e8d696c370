/** Long enough to recognise a task in a list of branches, short enough for a terminal. */
const slugLimit = 48

/**
 * A title as part of a branch name: letters without accents, digits and single dashes. Scripts that have no such
 * letters fall back to the beginning of the task's id, which is unique at least.
 */
export function slugOf(title: string, taskId: string): string {
  return fold(title) || fold(taskId).slice(0, 12).replace(/-+$/, '') || 'task'
}

export function branchOf({ agent, title, taskId }: { agent: string; title: string; taskId: string }): string {
  return `muster/${fold(agent) || 'agent'}/${slugOf(title, taskId)}`
}

function fold(text: string): string {
  const plain = text
    .replace(/ß/g, 'ss')
    .replace(/[æÆ]/g, 'ae')
    .replace(/[øØ]/g, 'o')
    .replace(/[łŁ]/g, 'l')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
  const words = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '')
  // `.lock` cannot occur without a dot, so only the length can still break a name.
  return words.slice(0, slugLimit).replace(/-+$/, '')
}
