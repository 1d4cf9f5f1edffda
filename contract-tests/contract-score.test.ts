import assert from 'node:assert/strict'
import { it } from 'node:test'
import { EXPLAINED } from './score/explained.js'

it('no finding of a judge of the design joins the explained ones unnoticed', () => {
  assert.equal(EXPLAINED.length, 11)
  assert.equal(new Set(EXPLAINED.map(({ rule }) => rule)).size, EXPLAINED.length)
  for (const { reason } of EXPLAINED) assert.match(reason, /\.$/)
})
