import { v7 as uuid } from 'uuid'
import type { NewTodo, TodoPatch, TodoReplacement, TodoStatus, Violation } from '../../generated/contract.js'
import { instantOf, OUT_OF_RANGE } from './instant.js'
import type { Changes, Content, Row } from './store.js'

/** Why a body that has the contract's form cannot be used: fields that contradict each other, or a value out of range. */
export type Unusable = Violation & { readonly contradiction?: true }

/** `status` and `completed` are one fact; both given, they must agree. */
function contradicts({ status, completed }: TodoPatch): boolean {
  return status !== undefined && completed !== undefined && (status === 'completed') !== completed
}

const CONTRADICTION: Unusable = { pointer: '/completed', detail: 'contradicts status', contradiction: true }
const DEADLINE_OUT_OF_RANGE: Unusable = { pointer: '/deadline', detail: OUT_OF_RANGE }

/** All fields of a new or replaced todo; what is left out gets its default. */
export function contentOf(body: NewTodo | TodoReplacement): Content | Unusable {
  const { title, description = null, deadline = null, status, completed, order = null } = body
  if (contradicts(body)) return CONTRADICTION
  const instant = deadline === null ? null : instantOf(deadline)
  if (instant === undefined) return DEADLINE_OUT_OF_RANGE
  const implied: TodoStatus = completed ? 'completed' : 'pending'
  return { title, description, deadline: instant, status: status ?? implied, order }
}

/** The fields that a merge patch sets (RFC 7396). */
export function changesOf(body: TodoPatch): Changes | Unusable {
  const { deadline, completed, ...others } = body
  if (contradicts(body)) return CONTRADICTION
  const reopen = completed === false && body.status === undefined
  const changes = { ...others, ...(completed && { status: 'completed' as const }), reopen }
  if (deadline === undefined) return changes
  const instant = deadline === null ? null : instantOf(deadline)
  return instant === undefined ? DEADLINE_OUT_OF_RANGE : { ...changes, deadline: instant }
}

/**
 * A todo that is not stored yet. It was created when its id was made: the first 48 bits of a UUID version 7 are
 * milliseconds since 1970 (RFC 9562, section 5.7).
 */
export function newRow(content: Content): Row {
  const id = uuid()
  const createdAt = new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString()
  return { ...content, id, version: '1', createdAt, updatedAt: createdAt }
}
