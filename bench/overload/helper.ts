/** A process beside this one: what it measures is not held up by what the others do. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** What a helper can do, by name. */
type Skills = { readonly [name: string]: (order: never) => Promise<unknown> }

export interface Helper<Known extends Skills> {
  /** Lets it do something, one after the other. @throws what was thrown there */
  run<Name extends keyof Known & string>(
    name: Name,
    order: Parameters<Known[Name]>[0],
  ): Promise<Awaited<ReturnType<Known[Name]>>>
  stop(): Promise<void>
}

type Reply = { readonly report: unknown } | { readonly fault: string }

/** Starts a file of this directory that calls `serve`. */
export function startHelper<Known extends Skills>(file: string): Helper<Known> {
  const child = fork(new URL(file, import.meta.url), { serialization: 'advanced' })
  return {
    async run(name, order) {
      child.send({ name, order })
      const reply = await replyOf(child)
      if ('fault' in reply) throw new Error(reply.fault)
      return reply.report as never
    },
    async stop() {
      if (!child.connected) return
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

async function replyOf(child: ChildProcess): Promise<Reply> {
  const over = new AbortController()
  const ended = once(child, 'exit', over).then(([code]) => ({ fault: `A helper ended with ${code}.` }))
  const replied = once(child, 'message', over).then(([message]) => message as Reply)
  try {
    return await Promise.race([replied, ended])
  } finally {
    over.abort()
    await Promise.allSettled([replied, ended])
  }
}

/** Does what the parent orders, until that lets go of this process. */
export function serve(skills: Skills): void {
  process.on('message', async ({ name, order }: { name: string; order: never }) => {
    const reply = await skills[name]?.(order).then(
      (report) => ({ report }),
      (error: Error) => ({ fault: error.message }),
    )
    process.send?.(reply)
  })
  process.on('disconnect', () => process.exit())
}
