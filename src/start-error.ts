/**
 * The service cannot start, for a reason that its operator can mend. The message is one line that says what is
 * wrong, where, and what to do; main.ts prints it alone, without a stack, and exits with 1.
 */
export class StartError extends Error {
  override name = 'StartError'
}
