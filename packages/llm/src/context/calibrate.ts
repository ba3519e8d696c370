/** Estimates are wrong by more than this only when something else is wrong, such as a server that counts nonsense. */
const least = 0.5
const most = 3
/** The newest count weighs this much, so that one strange prompt does not turn the scale. */
const weight = 0.3

/** How many tokens of a model one estimated token is, after the model's server has counted another prompt. */
export function calibrate(
  scale: number,
  { estimated, counted }: { estimated: number; counted: number },
): number {
  if (estimated <= 0 || counted <= 0) return scale
  const seen = Math.min(most, Math.max(least, counted / estimated))
  return scale + (seen - scale) * weight
}
