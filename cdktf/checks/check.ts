import assert from 'node:assert/strict'
import type { Deployment } from './deployment.js'

/** Something that must hold for what is deployed, and how to break it on purpose. */
export interface Check {
  /** Begins with the id of an AWS Security Hub control where it is one. */
  name: string
  /** @throws AssertionError when it does not hold. */
  holds(deployment: Deployment): void
  /** Each of these must make {@link holds} throw; mutations.test.ts tries them all. */
  breaks: [Break, ...Break[]]
}

type Break = (deployment: Deployment) => void

/** Any JSON object out of a synthesized stack. */
export interface Block {
  [attribute: string]: unknown
}

/** A check in words: what must hold, and one or more ways to break it. */
export function check(name: string, holds: Check['holds'], ...breaks: Check['breaks']): Check {
  return { name, holds, breaks }
}

/** A check that one block has these attributes, each of which is broken in turn. */
export function attributes(name: string, select: (deployment: Deployment) => Block, expected: Block): Check {
  const breaks = Object.keys(expected).map((attribute) => (deployment: Deployment) => {
    select(deployment)[attribute] = 'broken'
  })
  const [first, ...others] = breaks
  if (!first) throw new Error(`The check "${name}" expects nothing.`)
  return check(
    name,
    (deployment) => {
      const block = select(deployment)
      const found = Object.fromEntries(Object.keys(expected).map((key) => [key, block[key]]))
      assert.deepEqual(found, expected)
    },
    first,
    ...others,
  )
}

/** The block below another, by its path; a list of one is passed through, as Terraform's blocks often are. */
export function below(block: Block, ...path: string[]): Block {
  let current = block
  for (const step of path) {
    const next = current[step]
    assert.ok(next, `${path.join('.')} is missing at ${step}`)
    current = Array.isArray(next) ? only(next) : (next as Block)
  }
  return current
}

/** The blocks in a list. */
export function list(value: unknown): Block[] {
  assert.ok(Array.isArray(value), 'expected a list')
  return value as Block[]
}

/** The one block of a list. */
export function only(blocks: Block[]): Block {
  const [first, ...others] = blocks
  assert.ok(first && others.length === 0, `expected one block, found ${blocks.length}`)
  return first
}

/** How a stack refers to an attribute of one of its resources. */
export function reference(address: string): string {
  return `\${${address}}`
}
