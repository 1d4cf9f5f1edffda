import { fullFormats } from 'ajv-formats/dist/formats.js'
import { StartError } from '../start-error.js'
import type { Fields } from './exchange.js'

/** What an operation of the contract says about its end. */
export interface Deprecatable {
  readonly operationId?: string
  readonly deprecated?: boolean
  /** When it was or will be deprecated: a date (midnight UTC) or a date with time and offset. */
  readonly 'x-deprecated-since'?: unknown
  /** From when on it may be gone; written in the same way. */
  readonly 'x-sunset'?: unknown
  /** Where clients read what to use instead. */
  readonly externalDocs?: { readonly url: string }
}

/**
 * The header fields that tell clients of an operation's end, the same in each of its answers: `Deprecation` (RFC 9745),
 * `Sunset` (RFC 8594) where the contract names that date, and `Link` where it names a document. An operation that is
 * not deprecated has none.
 *
 * @throws StartError when the contract names a date that is none, a sunset before the deprecation (which RFC 9745,
 *   section 4, forbids), a link that is no absolute address, or dates without `deprecated: true` or the reverse
 */
export function deprecationFields(operation: Deprecatable): Fields {
  const { deprecated, externalDocs, 'x-sunset': end } = operation
  const beginning = operation['x-deprecated-since']
  if (!deprecated && beginning === undefined && end === undefined) return []
  if (!deprecated) throw malformed(operation, 'it has dates of its end, but not `deprecated: true`')
  if (beginning === undefined)
    throw malformed(operation, 'it is deprecated, but x-deprecated-since is missing')

  const since = instantOf(operation, 'x-deprecated-since')
  const fields = ['Deprecation', `@${Math.floor(since.getTime() / 1000)}`]
  if (end !== undefined) {
    const sunset = instantOf(operation, 'x-sunset')
    if (sunset < since) throw malformed(operation, 'x-sunset is earlier than x-deprecated-since')
    fields.push('Sunset', sunset.toUTCString())
  }
  if (externalDocs) fields.push('Link', `<${addressOf(operation, externalDocs.url)}>; rel="deprecation"`)
  return fields
}

/** As RFC 3339 writes it, and the contract's own dates are checked: a date, or a date with time and offset. */
const { date, 'date-time': dateTime } = fullFormats as unknown as Record<
  'date' | 'date-time',
  { readonly validate: (text: string) => boolean }
>

function instantOf(operation: Deprecatable, extension: 'x-deprecated-since' | 'x-sunset'): Date {
  const written = operation[extension]
  const text = String(written)
  if (date.validate(text) || dateTime.validate(text)) return new Date(text)
  const found = JSON.stringify(written)
  throw malformed(
    operation,
    `${extension} must be a date such as 2030-06-01 or 2030-06-01T09:00:00Z, not ${found}`,
  )
}

function addressOf(operation: Deprecatable, url: string): string {
  if (!URL.canParse(url))
    throw malformed(operation, `externalDocs.url must be an absolute address, not ${url}`)
  return url
}

function malformed({ operationId }: Deprecatable, what: string): StartError {
  return new StartError(`openapi.yaml, operation ${operationId}: ${what}.`)
}
