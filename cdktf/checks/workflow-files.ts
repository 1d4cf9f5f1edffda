import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Block } from './check.js'

/** A step of a job: https://docs.github.com/actions/reference/workflow-syntax */
export interface Step {
  id?: string
  uses?: string
  run?: string
  if?: string
  with?: Record<string, unknown>
  env?: Record<string, string>
}

export interface Job {
  needs?: string | string[]
  permissions?: Record<string, string>
  environment?: string | { name: string }
  concurrency?: { group: string; 'cancel-in-progress': boolean }
  'timeout-minutes'?: number
  outputs?: Record<string, string>
  strategy?: { matrix: Block }
  uses?: string
  with?: Record<string, string>
  steps?: Step[]
}

export interface Workflow {
  /** As it is written, for what parsing loses: the versions beside the pins. */
  text: string
  on: Record<string, Block | null>
  permissions: Block
  jobs: Record<string, Job>
}

const root = new URL('../../', import.meta.url)

export const readFromRoot = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** Every workflow by its file's name. */
export function readWorkflows(): Record<string, Workflow> {
  const names = readdirSync(new URL('.github/workflows/', root))
  return Object.fromEntries(
    names.map((name) => {
      const text = readFromRoot(`.github/workflows/${name}`)
      return [name, { text, ...parse(text) } as Workflow]
    }),
  )
}

/** The commands of a job, in order. */
export function commandsOf({ steps = [] }: Job): string[] {
  return steps.flatMap(({ run }) => run ?? [])
}

export function needsOf({ needs = [] }: Job): string[] {
  return typeof needs === 'string' ? [needs] : needs
}

/** What Dependabot watches. */
export interface Dependabot {
  updates: { 'package-ecosystem': string; directories?: string[]; groups: Block }[]
}

export const readDependabot = (): Dependabot => parse(readFromRoot('.github/dependabot.yml')) as Dependabot
