/** A straight line through points by least squares: its slope, and what the slope is within, 19 times of 20. */
export type Slope = { perUnit: number; within: number }

export function slopeOf(points: readonly (readonly [number, number])[]): Slope {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  if (points.length < 3 || spread === 0) return { perUnit: 0, within: Number.POSITIVE_INFINITY }
  const perUnit = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread
  const rest = points.reduce((sum, point) => sum + (point[1] - y - perUnit * (point[0] - x)) ** 2, 0)
  const freedom = points.length - 2
  return { perUnit, within: studentOf(freedom) * Math.sqrt(rest / freedom / spread) }
}

/** Student's t, two-sided 95 %: the table to 10, then close enough. */
function studentOf(freedom: number): number {
  const table = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23]
  return table[freedom - 1] ?? 1.96 + 2.5 / freedom
}
