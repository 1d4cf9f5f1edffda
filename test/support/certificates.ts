import { generate } from 'selfsigned'

export interface Certificate {
  key: string
  certificate: string
}

/** A certificate authority made for a test, and what it signs: a server's certificate for the given DNS names. */
export async function makeAuthority(): Promise<{
  certificate: string
  issue(...names: string[]): Promise<Certificate>
}> {
  const authority = await generate([{ name: 'commonName', value: 'Authority of a test' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  return {
    certificate: authority.cert,
    async issue(...names) {
      const { private: key, cert: certificate } = await generate(
        [{ name: 'commonName', value: names[0] ?? 'nameless' }],
        {
          keyType: 'ec',
          algorithm: 'sha256',
          ca: { key: authority.private, cert: authority.cert },
          extensions: [
            { name: 'basicConstraints', cA: false },
            { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) },
          ],
        },
      )
      return { key, certificate }
    },
  }
}
