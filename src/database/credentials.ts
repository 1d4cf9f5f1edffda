import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import type { Server } from './server.js'

/** Who logs in. The password is a function, so that no log of the object shows it. */
export interface Credentials {
  readonly user: string
  readonly password: () => string
}

export interface CredentialSource {
  /** What to log in with; undefined as long as nothing has been read. */
  readonly current: Credentials | undefined
  /**
   * Reads until the credentials differ from the refused ones, since a rotation changes the database first and the
   * secret a moment later.
   *
   * @param deadline as `performance.now()` gives it.
   * @returns whether there are others now.
   * @throws Error when the secret cannot be read, or does not hold a user and a password.
   */
  renew(refused: Credentials | undefined, deadline: number): Promise<boolean>
}

/** User and password as they were set, or as AWS Secrets Manager keeps them, where the server names a secret. */
export function credentialSource(server: Server, timeout: number): CredentialSource {
  const { user, password, secretArn } = server
  if (secretArn !== undefined) return new Secret(secretArn, timeout)
  const current = {
    user,
    password: () => {
      if (password === undefined) throw new NoPassword('it asks for a password, and none is set')
      return password
    },
  }
  return { current, renew: async () => false }
}

/** The server wants a password from a user who was given none. */
export class NoPassword extends Error {}

/** The secret is there but unusable. The message never shows any of it. */
export class UnusableSecret extends Error {}

/** Milliseconds between two readings of a secret whose credentials are refused. */
const REREAD_INTERVAL = 200

const nonEmpty = v.pipe(v.string(), v.nonEmpty())
const secretForm = v.object({ username: nonEmpty, password: nonEmpty })

/** Read when it is needed first, kept until the database refuses it, and then read again. */
class Secret implements CredentialSource {
  current: Credentials | undefined
  #reading: Promise<void> | undefined
  readonly #arn: string
  readonly #timeout: number

  constructor(arn: string, timeout: number) {
    this.#arn = arn
    this.#timeout = timeout
  }

  async renew(refused: Credentials | undefined, deadline: number): Promise<boolean> {
    while (this.current === refused) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined
      })
      await this.#reading
      if (this.current !== refused) break
      if (performance.now() + REREAD_INTERVAL > deadline) return false
      await sleep(REREAD_INTERVAL)
    }
    return true
  }

  async #read(): Promise<void> {
    const text = await readSecret(this.#arn, this.#timeout)
    const { username: user, password } = parseSecret(this.#arn, text)
    if (this.current?.user === user && this.current.password() === password) return
    this.current = { user, password: () => password }
  }
}

/** The AWS SDK is loaded only where a secret is used: it takes memory and time. */
async function readSecret(arn: string, timeout: number): Promise<string | undefined> {
  const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager')
  const region = arn.split(':')[3]
  const client = new SecretsManagerClient({ ...(region === undefined ? {} : { region }) })
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: arn }), {
      abortSignal: AbortSignal.timeout(timeout),
    })
    return answer.SecretString
  } finally {
    client.destroy()
  }
}

function parseSecret(arn: string, text: string | undefined): v.InferOutput<typeof secretForm> {
  try {
    return v.parse(secretForm, JSON.parse(text ?? ''))
  } catch {
    throw new UnusableSecret(`the secret ${arn} must be JSON with "username" and "password"`)
  }
}
