import { describe, it } from 'node:test'
import { checks } from './all.js'
import { readDeployment } from './deployment.js'

const deployment = readDeployment()

describe('What is deployed', () => {
  for (const { name, holds } of checks) it(name, () => holds(deployment))
})
