/** One protection of the service, and the test that is about it. */
export interface Mutation {
  /** What no longer holds without the protection. */
  readonly removes: string
  /** Below src/. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly text: string
  readonly replacement: string
  /** The name of a file in test/, without `.test.ts`. */
  readonly test: string
}
