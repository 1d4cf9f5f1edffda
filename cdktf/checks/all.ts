import { accessChecks } from './access.js'
import type { Check } from './check.js'
import { databaseChecks } from './database.js'
import { deliveryChecks } from './delivery.js'
import { networkChecks } from './network.js'
import { serviceChecks } from './service.js'
import { sourceChecks } from './sources.js'
import { taskChecks } from './task.js'
import { workflowChecks } from './workflows.js'

const ofStacks = [...networkChecks, ...databaseChecks, ...taskChecks, ...serviceChecks, ...accessChecks]

/** The Security Hub controls that checks begin with, each once. */
const namedControls = new Set(ofStacks.map(({ name }) => /^[A-Za-z0-9]+\.\d+(?=:)/.exec(name)?.[0] ?? ''))

/** Everything that must hold. */
export const checks: Check[] = [
  ...ofStacks,
  ...sourceChecks([...namedControls]),
  ...workflowChecks,
  ...deliveryChecks,
]
