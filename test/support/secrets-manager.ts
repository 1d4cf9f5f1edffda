import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Settings } from './service.js'

export interface SecretsManager {
  /** What the service needs to find it, credentials for AWS included. */
  settings: Settings
  /** What the secret holds from now on. */
  put(value: unknown): void
  /** How often the secret was read. */
  reads(): number
  close(): Promise<void>
}

/** The one operation of AWS Secrets Manager that reads a secret (API reference, GetSecretValue), for one secret. */
export async function startSecretsManager(value: unknown): Promise<SecretsManager> {
  const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:todo-Ab1Cd2'
  let current = value
  let reads = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { SecretId } = JSON.parse(Buffer.concat(chunks).toString())
    const isSigned = /Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/secretsmanager\//.test(
      request.headers.authorization ?? '',
    )
    const isKnown = request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue' && SecretId === arn
    const error = isSigned ? (isKnown ? undefined : 'ResourceNotFoundException') : 'AccessDeniedException'
    if (error === undefined) reads += 1
    response.writeHead(error === undefined ? 200 : 400, { 'Content-Type': 'application/x-amz-json-1.1' })
    response.end(
      JSON.stringify(
        error === undefined
          ? { ARN: arn, SecretString: typeof current === 'string' ? current : JSON.stringify(current) }
          : { __type: error, message: `${error} of a test` },
      ),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    settings: {
      DATABASE_SECRET_ARN: arn,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'example',
      AWS_EC2_METADATA_DISABLED: 'true',
      // On Node.js 20 the SDK warns of its own next versions.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
    put(next) {
      current = next
    },
    reads: () => reads,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
