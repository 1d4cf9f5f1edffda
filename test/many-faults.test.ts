/**
 * Whatever a request has wrong thousands of times, the validator looks no further than the faults that are listed. Held
 * by the number of errors it collects, on a contract with all that repeats: fields, items, alternatives, parameters.
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import type { Request, Response } from 'express'
import { BadRequest, type OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js'
import { type Operation, operationsOf } from '../src/contract/contract.js'
import { createValidator } from '../src/contract/validator.js'
import { refusal } from '../src/contract/violations.js'

const person = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'mail'],
  properties: {
    name: { type: 'string', minLength: 2, maxLength: 9, pattern: '^[a-z]+$' },
    mail: { type: 'string', minLength: 2, pattern: '^.+@.+$', format: 'email' },
  },
}
const list = (items: object) => ({ type: 'array', items })
const document = {
  openapi: '3.0.3',
  info: { title: '', version: '' },
  paths: {
    '/things': {
      post: {
        operationId: 'createThing',
        parameters: [
          {
            name: 'tag',
            in: 'query',
            style: 'form',
            explode: true,
            schema: list({ type: 'string', enum: ['a'] }),
          },
        ],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                additionalProperties: false,
                properties: {
                  person,
                  people: list(person),
                  numbers: list({ type: 'number' }),
                  distinct: {
                    type: 'array',
                    uniqueItems: true,
                    maxItems: 2,
                    items: { type: 'string', maxLength: 1 },
                  },
                  scores: { type: 'object', additionalProperties: { type: 'integer' } },
                  either: { anyOf: [list({ type: 'number' }), list({ type: 'boolean' })] },
                  table: list(list({ type: 'number' })),
                  text: {
                    allOf: ['a', 'b', 'c'].map((letter) => ({
                      type: 'string',
                      maxLength: 9,
                      pattern: `^${letter}+$`,
                    })),
                  },
                },
              },
            },
          },
        },
        responses: {},
      },
    },
  },
} as unknown as OpenAPIV3.DocumentV3
const contract = { text: '', document, dereferenced: document }
const operations = operationsOf(contract)
const operation = operations[0] as Operation
const validator = createValidator(contract, operations)

/** How many errors the validator collects, and what the answer says; none and nothing when the request is good. */
async function judge(body: unknown, query: Record<string, string[]> = {}) {
  const headers = { 'content-type': 'application/json' }
  const request = {
    method: 'POST',
    originalUrl: '/things',
    headers,
    query,
    params: {},
    body,
  } as unknown as Request
  const response = { locals: { operation, pathValues: [] } } as unknown as Response
  try {
    await validator(request, response, () => {})
    return { collected: 0 }
  } catch (error) {
    ok(error instanceof BadRequest, String(error))
    return { collected: error.errors.length, ...refusal(error, operation, request)?.details }
  }
}

const MANY = 5_000
const times = <Item>(count: number, item: (index: number) => Item) =>
  Array.from({ length: count }, (_, index) => item(index))
const fields = (count: number, value: unknown) =>
  Object.fromEntries(times(count, (index) => [`f${index}`, value]))
const good = { name: 'ann', mail: 'a@example.org' }

for (const [kind, body, query] of [
  ['unknown fields', fields(MANY, 1)],
  ['unknown fields of an object inside', { person: { ...good, ...fields(MANY, 1) } }],
  ['unknown fields of each item', { people: times(MANY, () => ({ ...good, x: 1, y: 2 })) }],
  ['items with hundreds of unknown fields', { people: times(50, () => ({ ...good, ...fields(100, 1) })) }],
  ['items with several faults each', { people: times(MANY, () => ({ name: '', mail: '' })) }],
  ['items without what is required', { people: times(MANY, () => ({})) }],
  ['items of a wrong type', { numbers: times(MANY, () => 'x') }],
  ['items that are null', { people: times(MANY, () => null) }],
  ['items of lists in a list', { table: times(MANY, () => ['x']) }],
  ['items of a list with a limit', { distinct: times(MANY, () => 'xx') }],
  ['fields of a free name', { scores: fields(MANY, 'x') }],
  ['items of alternatives', { either: times(MANY, () => 'x') }],
  ['values of a parameter', {}, { tag: times(MANY, () => 'x') }],
  [
    'faults of several kinds',
    { ...fields(MANY, 1), numbers: times(MANY, () => 'x'), scores: fields(MANY, 'x') },
  ],
] as const) {
  test(`thousands of ${kind}: the validator ends early, and the first hundred are listed`, async () => {
    const { collected, detail, errors } = await judge(body, query)
    equal(detail, 'The request has more than 100 faults; the first 100 are listed.')
    equal(errors?.length, 100)
    ok(collected < 2_000, `${collected} errors were collected`)
  })
}

test('a text has no more faults than its schema has keywords, however long it is', async () => {
  const { collected, errors } = await judge({ text: 'x'.repeat(90_000) })
  equal(collected, 6)
  equal(errors?.length, 6)
})

test('up to a hundred faults are counted, wherever they are', async () => {
  for (const [count, detail] of [
    [1, 'The request has 1 fault.'],
    [99, 'The request has 99 faults.'],
    [100, 'The request has 100 faults.'],
    [101, 'The request has more than 100 faults; the first 100 are listed.'],
  ] as const) {
    for (const body of [
      fields(count, 1),
      { numbers: [...times(MANY, () => 1), ...times(count, () => 'x')] },
      { people: [...times(count, () => ({ ...good, name: '' })), ...times(MANY, () => good)] },
    ]) {
      equal((await judge(body)).detail, detail)
    }
  }
})

test('an alternative is looked at to its end, however many faults another has', async () => {
  const booleans = times(MANY, () => true)
  deepEqual(await judge({ either: booleans }), { collected: 0 })
  ok((await judge({ either: [...booleans, 1] })).collected > 0)
})

test('a good request has no fault, however large it is', async () => {
  const body = { people: times(MANY, () => good), numbers: times(MANY, Number), scores: fields(MANY, 1) }
  deepEqual(await judge(body, { tag: times(MANY, () => 'a') }), { collected: 0 })
})
