/**
 * A moment as RFC 3339 writes it, in UTC with milliseconds; anything finer is cut off. A leap second is the first
 * moment of the next minute, as in PostgreSQL.
 *
 * @returns undefined when the moment is, in UTC, outside the years 0001 to 9999, which RFC 3339 cannot write
 */
export function instantOf(text: string): string | undefined {
  const leap = text.slice(17, 19) === '60'
  const known = leap ? `${text.slice(0, 17)}59${text.slice(19)}` : text
  const milliseconds = Date.parse(known.toUpperCase()) + (leap ? 1000 : 0)
  if (!Number.isFinite(milliseconds)) return undefined
  const instant = new Date(milliseconds).toISOString()
  return /^(?!0000)\d{4}-/.test(instant) ? instant : undefined
}

export const OUT_OF_RANGE = 'is, in UTC, not within the years 0001 to 9999'
