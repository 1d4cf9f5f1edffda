import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeAuthority } from './certificates.js'
import { type Cluster, giveToServer, startCluster } from './cluster.js'

export interface TlsCluster extends Cluster {
  /** The file of the authority that signed the server's certificate, which is for `localhost` alone. */
  authorityFile: string
  /** The file of an authority that signed nothing. */
  strangerFile: string
}

/**
 * A PostgreSQL server with TLS.
 *
 * @param access lines of pg_hba.conf before the one that lets everybody in who knows the password
 */
export async function startTlsCluster(
  access: string[] = [],
  settings: Record<string, string> = {},
): Promise<TlsCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'todo-tls-'))
  const authority = await makeAuthority()
  const { key, certificate } = await authority.issue('localhost')
  const files = {
    ssl_key_file: key,
    ssl_cert_file: certificate,
    hba_file: [...access, 'host all all all scram-sha-256', ''].join('\n'),
    authority: authority.certificate,
    stranger: (await makeAuthority()).certificate,
  }
  const path = (name: keyof typeof files) => join(folder, name)
  await giveToServer(folder)
  for (const name of Object.keys(files) as (keyof typeof files)[]) {
    await writeFile(path(name), files[name], { mode: 0o600 })
    await giveToServer(path(name))
  }
  const cluster = await startCluster({
    ssl: 'on',
    ssl_key_file: path('ssl_key_file'),
    ssl_cert_file: path('ssl_cert_file'),
    hba_file: path('hba_file'),
    ...settings,
  })
  return {
    ...cluster,
    authorityFile: path('authority'),
    strangerFile: path('stranger'),
    async remove() {
      await cluster.remove()
      await rm(folder, { recursive: true })
    },
  }
}
