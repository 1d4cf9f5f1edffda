/** One statement of an IAM policy, as AWS writes it. */
export interface Statement {
  Sid?: string
  Effect: 'Allow' | 'Deny'
  Principal?: '*' | Record<string, string | string[]>
  Action: string | string[]
  Resource?: string | string[]
  Condition?: Record<string, Record<string, string | string[]>>
}

/** A statement that allows actions on resources. */
export function allow(sid: string, actions: string[], resources: string | string[]): Statement {
  return { Sid: sid, Effect: 'Allow', Action: actions, Resource: resources }
}

/** A policy document as the JSON text that AWS expects. Not `Fn.jsonencode`: that text only Terraform can read. */
export function policy(...statements: Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** Lets one AWS service assume a role, on behalf of this account alone. */
export function trust(service: string, account: string): string {
  return policy({
    Effect: 'Allow',
    Principal: { Service: service },
    Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'aws:SourceAccount': account } },
  })
}
