import type { Operation, Schema } from '../src/contract/contract.js'
import { routesOf } from '../src/contract/routes.js'
import type { Exchange } from './exchanges.js'
import type { Forward, Intercept, ProxiedAnswer, ProxiedRequest } from './proxy.js'

/** One thing that is broken in one exchange, and nothing else. */
export interface Mutant {
  /** `updateTodo application/json 200: missing field /title` */
  readonly name: string
  readonly kind: string
  readonly exchange: Exchange
  readonly intercept: Intercept
}

type Alter = (answer: ProxiedAnswer) => ProxiedAnswer
type Alteration = readonly [kind: string, place: string, alter: Alter]

/** Everything that can be broken in an exchange, as the contract documents it. */
export function mutantsOf(exchange: Exchange, operations: readonly Operation[]): Mutant[] {
  const findRoute = routesOf(operations)
  const { operationId } = exchange.operation
  const concerns = ({ method, url, headers }: ProxiedRequest) =>
    findRoute(url.split('?')[0] as string)?.route.operations.get(method)?.operationId === operationId &&
    headers['content-type']?.split(';')[0] === exchange.requestType
  const alterations = [...statusMutations(exchange), ...headerMutations(exchange), ...bodyMutations(exchange)]
  const mutations = [
    ...alterations.map(([kind, place, alter]) => [kind, place, onAnswer(exchange, alter)] as const),
    ...writeMutations(exchange),
  ]
  return mutations.map(([kind, place, intercept]) => ({
    name: `${exchange.name}: ${kind} ${place}`.trim(),
    kind,
    exchange,
    intercept: (request, forward) => (concerns(request) ? intercept(request, forward) : forward(request)),
  }))
}

function onAnswer({ status }: Exchange, alter: Alter): Intercept {
  return async (request, forward) => {
    const answer = await forward(request)
    return answer.status === status ? alter(answer) : answer
  }
}

function statusMutations({ status }: Exchange): Alteration[] {
  return [['status', `${status + 1}`, (answer: ProxiedAnswer) => ({ ...answer, status: status + 1 })]]
}

function headerMutations({ headers, mediaType, operation, status }: Exchange): Alteration[] {
  const withHeader = (name: string, value: string | undefined) => (answer: ProxiedAnswer) => {
    const { [name.toLowerCase()]: _, ...others } = answer.headers
    return { ...answer, headers: value === undefined ? others : { ...others, [name.toLowerCase()]: value } }
  }
  const names = Object.keys(headers)
  const tagged = 'ETag' in headers && status !== 201 && operation.path.includes('{')
  return [
    ...names.map((name): Alteration => ['missing header', name, withHeader(name, undefined)]),
    ...names.map((name): Alteration => ['malformed header', name, withHeader(name, 'malformed !')]),
    ...(mediaType === undefined
      ? []
      : [['media type', '', withHeader('Content-Type', 'text/plain')] satisfies Alteration]),
    // The first tag of every todo; the tests look at todos that were changed.
    ...(tagged ? [['unchanging tag', '', withHeader('ETag', '"1"')] satisfies Alteration] : []),
  ]
}

function bodyMutations({ schema, mediaType }: Exchange): Alteration[] {
  if (schema === undefined) return []
  const wrapped = (key: string) => editing((body) => ({ [key]: body }))
  return [
    ...(schema.type === 'array' ? [['no array', '', wrapped('items')] satisfies Alteration] : []),
    ...(mediaType === 'application/problem+json'
      ? [['no problem', '', wrapped('error')] satisfies Alteration]
      : []),
    ...(objectsIn(schema, schema, []).flatMap(({ pointer, object }) => [
      [
        'surplus field',
        `/${[...pointer, 'surprise'].join('/')}`,
        editingField(schema, pointer, 'surprise', () => 1),
      ],
      ...Object.entries(object.properties ?? {}).flatMap(([field, of]) =>
        fieldMutations(field, of as Schema, object).map(
          ([kind, change]): Alteration => [
            kind,
            `/${[...pointer, field].join('/')}`,
            editingField(schema, pointer, field, change),
          ],
        ),
      ),
    ]) as Alteration[]),
  ]
}

function fieldMutations(field: string, schema: Schema, object: Schema): [string, () => unknown][] {
  return [
    ...(object.required?.includes(field)
      ? [['missing field', () => undefined] as [string, () => unknown]]
      : []),
    ['wrong type', () => (schema.type === 'string' ? 17 : 'text')],
    ...(schema.enum ? [['not in the enum', () => 'surprise'] as [string, () => unknown]] : []),
    ...(schema.nullable ? [] : [['null', () => null] as [string, () => unknown]]),
  ]
}

interface ObjectPlace {
  readonly pointer: readonly string[]
  readonly object: Schema
}

/** Every object that a body has, of arrays those in the first item. */
function objectsIn(root: Schema, schema: Schema, pointer: readonly string[]): ObjectPlace[] {
  if (schema.type === 'array') return objectsIn(root, schema.items as Schema, [...pointer, '0'])
  if (schema.type !== 'object') return []
  const below = Object.entries(schema.properties ?? {})
  return [
    { pointer, object: schema },
    ...below.flatMap(([field, of]) => objectsIn(root, of as Schema, [...pointer, field])),
  ]
}

type Json = Record<string, unknown>

function editing(edit: (body: unknown) => unknown): Alter {
  return (answer) => ({
    ...answer,
    body: Buffer.from(JSON.stringify(edit(JSON.parse(answer.body.toString())))),
  })
}

/** Changes one field; an optional object on the way that the answer does not have is put in from the examples. */
function editingField(root: Schema, pointer: readonly string[], field: string, change: () => unknown): Alter {
  return editing((body) => {
    let schema = root
    let value = body as Json
    for (const step of pointer) {
      schema = (schema.type === 'array' ? schema.items : schema.properties?.[step]) as Schema
      value[step] ??= exampleOf(schema)
      value = value[step] as Json
    }
    value[field] = change()
    return body
  })
}

function exampleOf(schema: Schema): unknown {
  if (schema.type === 'array') return [exampleOf(schema.items as Schema)]
  if (schema.type !== 'object') return schema.example
  const fields = schema.required ?? []
  return Object.fromEntries(fields.map((field) => [field, exampleOf(schema.properties?.[field] as Schema)]))
}

/** A write that is answered as if it were done. */
function writeMutations({
  operation: { method },
  status,
}: Exchange): (readonly [kind: string, place: string, Intercept])[] {
  if (method === 'GET' || status >= 300) return []
  const pretend = method === 'DELETE' ? answerWithout : method === 'POST' ? createAndDelete : writeAndRestore
  return [['write not done', '', pretend]]
}

async function answerWithout(request: ProxiedRequest, forward: Forward): Promise<ProxiedAnswer> {
  const { headers } = await forward({ ...request, method: 'OPTIONS' })
  return { status: 204, headers, body: Buffer.alloc(0) }
}

async function createAndDelete(request: ProxiedRequest, forward: Forward): Promise<ProxiedAnswer> {
  const answer = await forward(request)
  const { pathname } = new URL(answer.headers.location ?? '')
  await forward({ method: 'DELETE', url: pathname, headers: {}, body: Buffer.alloc(0) })
  return answer
}

async function writeAndRestore(request: ProxiedRequest, forward: Forward): Promise<ProxiedAnswer> {
  const before = await forward({ ...request, method: 'GET', headers: {}, body: Buffer.alloc(0) })
  const answer = await forward(request)
  const { title, description, deadline, status, order } = JSON.parse(before.body.toString())
  await forward({
    ...request,
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ title, description, deadline, status, order })),
  })
  return answer
}
