/** A line of the table at the end. */
export interface Row {
  /** The part of the run: `Dredd`, `Workflows`, … */
  readonly part: string
  readonly what: string
  readonly state: 'passed' | 'failed' | 'left out'
  /** Why it was left out, or what is wrong, each in one line. */
  readonly remarks: readonly string[]
}

/** Prints all rows, then what was left out and why, then one line for each failure. */
export function printReport(rows: readonly Row[]): void {
  const width = (values: string[]) => Math.max(...values.map(({ length }) => length))
  const parts = width(rows.map(({ part }) => part))
  const whats = width(rows.map(({ what }) => what))
  console.log()
  for (const { part, what, state } of rows)
    console.log(`${part.padEnd(parts)}  ${what.padEnd(whats)}  ${state}`)
  const count = (wanted: Row['state']) => rows.filter(({ state }) => state === wanted).length
  console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('left out')} left out`)
  for (const wanted of ['left out', 'failed'] as const) {
    for (const { part, what, state, remarks } of rows) {
      if (state === wanted) console.log(`${state}: ${part}: ${what}: ${remarks.map(oneLine).join('; ')}`)
    }
  }
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()

/** A tool is missing: a failure where REQUIRE_ALL is 1, otherwise a part that is left out. */
export function missing(part: string, what: string, reason: string): Row {
  return { part, what, state: process.env.REQUIRE_ALL === '1' ? 'failed' : 'left out', remarks: [reason] }
}

/** What must hold, by what it says, each an assertion that rejects when it does not. */
export type Checks<Subject> = Readonly<Record<string, (subject: Subject) => Promise<void>>>

/** Carries out one check after the other. */
export async function carryOut<Subject>(
  part: string,
  checks: Checks<Subject>,
  subject: Subject,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const [what, check] of Object.entries(checks)) {
    const remarks = await check(subject).then(
      () => [],
      (error: Error) => [error.message],
    )
    rows.push({ part, what, state: remarks.length === 0 ? 'passed' : 'failed', remarks })
  }
  return rows
}
