/** What the process needs beside its clients' connections and the database's: the log, its program, Node.js itself. */
const OTHER_FILES = 64

interface Report {
  readonly userLimits?: { readonly open_files?: { readonly soft?: number | 'unlimited' } }
}

/**
 * How many connections of clients the operating system lets the process have, so that none has to be closed unseen for
 * lack of a file descriptor; infinite where it sets no limit.
 *
 * @param databaseConnections how many connections to the database there are at most
 */
export function mostConnections(databaseConnections: number): number {
  const { userLimits } = process.report.getReport() as Report
  const limit = userLimits?.open_files?.soft
  return typeof limit === 'number'
    ? Math.max(1, limit - databaseConnections - OTHER_FILES)
    : Number.POSITIVE_INFINITY
}
