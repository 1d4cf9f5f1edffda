import { after } from 'node:test'

const actions: (() => Promise<unknown>)[] = []

/**
 * Registers what is to be undone after the last test of the file, last first: services end before their folders go.
 * (`after` inside a hook would run at the end of that hook.)
 */
export function atEnd(action: () => Promise<unknown>): void {
  actions.push(action)
}

after(async () => {
  for (const action of actions.reverse()) await action()
})
