/** Something that a proof needs cannot be had on this machine. */
export class Missing extends Error {
  /** @param what what is missing, and how to get it; the cause is what was tried. */
  constructor(what: string, cause: unknown) {
    super(`Missing: ${what}. ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

/**
 * Prepares a proof. Where something is missing, the reason to skip it, and a failure where nothing may be skipped
 * (`REQUIRE_ALL=1`).
 */
export async function preparedOrSkipped<Prepared>(
  prepare: () => Promise<Prepared>,
): Promise<{ prepared: Prepared; skip: false } | { prepared?: undefined; skip: string }> {
  try {
    return { prepared: await prepare(), skip: false }
  } catch (error) {
    if (error instanceof Missing && process.env.REQUIRE_ALL !== '1') return { skip: error.message }
    throw error
  }
}
