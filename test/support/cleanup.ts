import { after, afterEach, beforeEach } from 'node:test'

type Action = () => Promise<unknown>

/** Of the file, of the test that runs now, and of its subtests; no two tests of a file run at the same time. */
const levels: Action[][] = [[]]

beforeEach(() => void levels.push([]))
afterEach(undo)
after(undo)

/**
 * Registers what is to be undone when the test that runs now is over, or after the last test of the file if none does.
 * What was registered last is undone first: services end before their folders go.
 */
export function atEnd(action: Action): void {
  levels.at(-1)?.push(action)
}

async function undo(): Promise<void> {
  for (const action of (levels.pop() ?? []).reverse()) await action()
}
