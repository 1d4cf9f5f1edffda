import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checks } from './all.js'
import { readDeployment } from './deployment.js'

const { validate, ...deployment } = readDeployment()

describe('Broken on purpose, each check turns red', () => {
  for (const { name, holds, breaks } of checks) {
    it(name, () => {
      for (const [index, breakIt] of breaks.entries()) {
        const broken = { ...structuredClone(deployment), validate }
        breakIt(broken)
        assert.throws(() => holds(broken), `mutation ${index + 1} of ${breaks.length} was not noticed`)
      }
    })
  }
})
