import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { makeAuthority } from '../../test/support/certificates.js'
import { letGo } from '../emulated/emulated-aws.js'
import { Missing } from '../emulated/missing.js'

/** An image registry on the loopback, with TLS. */
export interface Registry {
  /** `localhost:PORT`, as the names of its images begin. */
  readonly host: string
  /** A file of the certificates to trust, the registry's among them; for SSL_CERT_FILE. */
  readonly trust: string
}

/**
 * Starts Debian's docker-registry on a free port; it ends with this process.
 * @throws Missing where it is not installed.
 */
export async function startRegistry(): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), 'registry-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const path = (name: string) => join(folder, name)
  const authority = await makeAuthority()
  const { certificate, key } = await authority.issue('localhost')
  const usual = process.env.SSL_CERT_FILE ?? '/etc/ssl/certs/ca-certificates.crt'
  const trusted = existsSync(usual) ? readFileSync(usual, 'utf8') : ''
  writeFileSync(path('trust.pem'), `${authority.certificate}\n${trusted}`)
  writeFileSync(path('certificate.pem'), certificate)
  writeFileSync(path('key.pem'), key, { mode: 0o600 })
  const configuration = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: path('images') } },
    http: {
      addr: '127.0.0.1:0',
      tls: { certificate: path('certificate.pem'), key: path('key.pem') },
    },
  }
  // JSON is YAML.
  writeFileSync(path('registry.yml'), JSON.stringify(configuration))
  const server = spawn('docker-registry', ['serve', path('registry.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: server.stderr }).on('line', (line) => {
      const found = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (found) resolve(found)
    })
    server.once('error', (error) => reject(new Missing('the package docker-registry of Debian', error)))
    server.once('exit', (code) => reject(new Error(`docker-registry ended early, with ${code}.`)))
  })
  letGo(server)
  process.once('exit', () => server.kill())
  return { host: `localhost:${port}`, trust: path('trust.pem') }
}
