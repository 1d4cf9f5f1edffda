import {
  S3Bucket,
  S3BucketEncryption,
  S3BucketPolicy,
  S3BucketPublicAccessBlock,
  type TerraformStack,
} from '../provider.js'
import { policy, type Statement } from './policy.js'

/** A bucket that is encrypted, closed to the public and answers on TLS only, with what else its policy allows. */
export function privateBucket(
  stack: TerraformStack,
  id: string,
  { bucketName, forceDestroy }: { bucketName: string; forceDestroy: boolean },
  ...allowed: Statement[]
): { bucket: S3Bucket; bucketPolicy: S3BucketPolicy } {
  const bucket = new S3Bucket(stack, id, { bucket: bucketName, forceDestroy })
  new S3BucketEncryption(stack, `${id}_encryption`, {
    bucket: bucket.id,
    rule: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
  })
  const closed = new S3BucketPublicAccessBlock(stack, `${id}_public_access`, {
    bucket: bucket.id,
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  })
  const tlsOnly: Statement = {
    Sid: 'TlsOnly',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [bucket.arn, `${bucket.arn}/*`],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  }
  const bucketPolicy = new S3BucketPolicy(stack, `${id}_policy`, {
    bucket: bucket.id,
    policy: policy(tlsOnly, ...allowed),
    // Both change the bucket's policy status; at the same time one of them is refused.
    dependsOn: [closed],
  })
  return { bucket, bucketPolicy }
}
