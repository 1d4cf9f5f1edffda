/** What a judge of the design finds in openapi.yaml that is meant to be so. */
export interface Explained {
  readonly rule: string
  /** Where it may be found; anywhere, if it is left out. */
  readonly places?: readonly string[]
  readonly reason: string
}

const PUBLIC =
  'The service is public by design, as the app it grew out of: nobody signs in. The contract says so.'
const GATEWAY =
  'How many requests a client may send is for the gateway in front to limit; the service answers 503 with Retry-After.'

export const EXPLAINED: readonly Explained[] = [
  { rule: 'owasp:api2:2023-read-restricted', reason: PUBLIC },
  { rule: 'owasp:api2:2023-write-restricted', reason: PUBLIC },
  { rule: 'owasp:api8:2023-define-error-responses-401', reason: PUBLIC },
  { rule: 'owasp:api4:2023-rate-limit', reason: GATEWAY },
  { rule: 'owasp:api4:2023-rate-limit-responses-429', reason: GATEWAY },
  {
    rule: 'owasp:api4:2023-string-limit',
    places: ['components.schemas.Violation.properties.pointer'],
    reason: 'The pointer of a violation repeats the names of the body, which the operator limits as a whole.',
  },
  {
    rule: 'owasp:api4:2023-string-restricted',
    places: ['components.schemas.Violation.properties.parameter'],
    reason: 'The name of an unknown parameter is what the client sent, whatever that is.',
  },
  {
    rule: 'owasp:api8:2023-define-cors-origin',
    reason:
      'Which origins may call is for the operator to say, not for the contract; a test holds what is sent.',
  },
  {
    rule: 'owasp:api8:2023-define-error-responses-500',
    places: ['paths./health.get.responses'],
    reason: 'Liveness does nothing that can fail: a process that cannot answer 200 answers nothing.',
  },
  {
    rule: 'owasp:api8:2023-no-server-http',
    places: ['servers.0.url'],
    reason:
      'The only server in the file is the machine of whoever reads it; a deployment puts its PUBLIC_URL first.',
  },
  {
    rule: 'redocly:High parameter count (7)',
    places: ['listTodos'],
    reason: 'A list that is paged, sorted and filtered by three fields takes seven optional parameters.',
  },
]
