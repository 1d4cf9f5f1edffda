/** The entity tag of a todo is its version, which grows with every change. */
export const entityTag = (version: string) => `"${version}"`

/** The versions that a header admits; `any` stands for `*`. */
export type Versions = 'any' | readonly string[]

/** A version as the database can hold it; no other tag is of this service's making. */
const VERSION = /^[1-9]\d{0,17}$/

/**
 * The versions in an `If-Match` or `If-None-Match` header that has the contract's form.
 *
 * @param comparison strong: weak tags never match (If-Match); weak: they match too (RFC 9110, section 8.8.3.2)
 */
export function versionsIn(header: string, comparison: 'strong' | 'weak'): Versions {
  if (header.trim() === '*') return 'any'
  const tags = [...header.matchAll(/(W\/)?"([^"]*)"/g)]
  const comparable = comparison === 'weak' ? tags : tags.filter(([, weak]) => weak === undefined)
  return comparable.map(([, , version = '']) => version).filter((version) => VERSION.test(version))
}

/** Whether a header that may be absent admits a version; an absent one admits all. */
export function admits(versions: Versions | undefined, version: string): boolean {
  return versions === undefined || versions === 'any' || versions.includes(version)
}
