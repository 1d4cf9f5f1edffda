/**
 * What a handler takes and returns, derived from the generated types: the compiler refuses a missing or surplus
 * handler, a wrong body, a status that the contract does not list, and an answer without a header it requires.
 */
import type { DefaultedParameters, operations, Problem, Violation } from '../../generated/contract.js'

export type OperationId = keyof operations

type Parameters<
  Id extends OperationId,
  Place extends 'path' | 'query' | 'header',
> = operations[Id]['parameters'] extends {
  [place in Place]?: infer Values
}
  ? Exclude<Values, undefined>
  : never

/** The query as the validator leaves it: parameters that have a default always have a value. */
type Query<Id extends OperationId> = Parameters<Id, 'query'> &
  Required<Pick<Parameters<Id, 'query'>, DefaultedParameters[Id] & keyof Parameters<Id, 'query'>>>

type Body<Id extends OperationId> = operations[Id] extends { requestBody: { content: infer Content } }
  ? Content[keyof Content]
  : undefined

/** A validated request: parameters by the contract's names and of the contract's types. */
export interface Input<Id extends OperationId> {
  readonly path: Parameters<Id, 'path'>
  readonly query: Query<Id>
  readonly headers: Parameters<Id, 'header'>
  readonly body: Body<Id>
  readonly link: Link
  /** When its time began to run, by `performance.now()`: while it waited behind others of its connection, it did. */
  readonly begun: number
}

/** The parameters that lead to an operation. */
export interface Target<Id extends OperationId> {
  readonly path?: Parameters<Id, 'path'>
  readonly query?: Parameters<Id, 'query'>
}

/** Makes the absolute address of an operation, as this request's client sees the service. */
export type Link = <Id extends OperationId>(operationId: Id, target: Target<Id>) => string

type Responses<Id extends OperationId> = operations[Id]['responses']

type KnownKeys<T> = { [Key in keyof T as string extends Key ? never : Key]: T[Key] }

/** Headers that the handler must give; the contract layer sends the request id and those with one fixed value. */
type HandlerHeaders<Headers> = {
  [Key in keyof KnownKeys<Headers> as Key extends 'X-Request-Id'
    ? never
    : string extends Exclude<Headers[Key], undefined>
      ? Key
      : never]: Headers[Key]
}

type WithHeaders<Headers> = keyof HandlerHeaders<Headers> extends never
  ? { readonly headers?: never }
  : Record<string, never> extends HandlerHeaders<Headers>
    ? { readonly headers?: HandlerHeaders<Headers> }
    : { readonly headers: HandlerHeaders<Headers> }

/** What a handler says of a problem; the contract layer adds title, status and request id. */
export interface ProblemDetails extends Pick<Problem, 'detail'>, Partial<Pick<Problem, 'type'>> {
  readonly errors?: readonly Violation[]
}

type ReplyOf<Status, Response> = Response extends { content: { 'application/problem+json': Problem } }
  ? { readonly status: Status; readonly problem: ProblemDetails }
  : Response extends { headers: infer Headers; content: { 'application/json': infer Content } }
    ? { readonly status: Status; readonly body: Content } & WithHeaders<Headers>
    : Response extends { headers: infer Headers }
      ? { readonly status: Status } & WithHeaders<Headers>
      : never

/** One of the answers that the contract lists for an operation. */
export type Reply<Id extends OperationId> = {
  [Status in keyof Responses<Id>]: ReplyOf<Status, Responses<Id>[Status]>
}[keyof Responses<Id>]

/** Exactly one handler for each operation of the contract. */
export type Handlers = { readonly [Id in OperationId]: (input: Input<Id>) => Promise<Reply<Id>> }
