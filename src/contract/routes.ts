import type { Operation } from './contract.js'

/** What is at a path: its operations by method. */
export interface Route {
  readonly operations: ReadonlyMap<string, Operation>
  /** The value of `Allow` (RFC 9110, section 10.2.1): `HEAD` works wherever `GET` does, `OPTIONS` everywhere. */
  readonly allow: string
}

/** A route and the values of the path's parameters, still percent-encoded. */
export interface Match {
  readonly route: Route
  readonly values: readonly string[]
}

/** Finds the route of a path as it was sent, without its query. */
export type FindRoute = (path: string) => Match | undefined

/** The contract's paths as a tree of their segments, so that a search takes as long however many there are. */
interface Node {
  readonly literals: Map<string, Node>
  parameter?: Node
  route?: Route
}

/**
 * The contract's paths, compared to the letter; a literal segment comes before a parameter (OpenAPI 3.0, section 4.7.8).
 *
 * @throws when a path has a parameter that is only a part of a segment
 */
export function routesOf(operations: readonly Operation[]): FindRoute {
  const root: Node = { literals: new Map() }
  for (const path of new Set(operations.map((operation) => operation.path))) {
    nodeAt(root, path).route = routeOf(operations.filter((operation) => operation.path === path))
  }
  return (path) => find(root, path.split('/'), 0, [])
}

function routeOf(operations: readonly Operation[]): Route {
  const methods = operations.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  const byMethod = new Map(operations.map((operation) => [operation.method, operation]))
  return { operations: byMethod, allow: [...methods, 'OPTIONS'].join(', ') }
}

function nodeAt(root: Node, path: string): Node {
  return path.split('/').reduce((node, segment) => {
    if (/^\{[^{}]+\}$/.test(segment)) {
      node.parameter ??= { literals: new Map() }
      return node.parameter
    }
    if (/[{}]/.test(segment))
      throw new Error(`openapi.yaml, path ${path}: a parameter must be a whole segment.`)
    const next = node.literals.get(segment) ?? { literals: new Map() }
    node.literals.set(segment, next)
    return next
  }, root)
}

function find(
  node: Node,
  segments: readonly string[],
  index: number,
  values: readonly string[],
): Match | undefined {
  const segment = segments[index]
  if (segment === undefined) return node.route && { route: node.route, values }
  const literal = node.literals.get(segment)
  const found = literal && find(literal, segments, index + 1, values)
  if (found || !node.parameter || segment === '') return found
  return find(node.parameter, segments, index + 1, [...values, segment])
}
