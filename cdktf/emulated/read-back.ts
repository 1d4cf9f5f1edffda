import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { ACMClient, RequestCertificateCommand } from '@aws-sdk/client-acm'
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch'
import {
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  DescribeVpcsCommand,
  EC2Client,
  type SecurityGroupRule,
} from '@aws-sdk/client-ec2'
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient } from '@aws-sdk/client-ecs'
import {
  DescribeListenersCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { GetRoleCommand, GetRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  DescribeDBClusterParametersCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  RDSClient,
} from '@aws-sdk/client-rds'
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { GetWebACLForResourceCommand, WAFV2Client } from '@aws-sdk/client-wafv2'
import { draining } from '../draining.js'
import { serviceFacts } from '../service-facts.js'
import type { Project } from '../settings.js'

const name = 'todo-production'
const facts = serviceFacts()

/** What really exists in the emulated AWS, read through its SDK, and held against what should. */
export class ReadBack {
  private readonly cloudWatch: CloudWatchClient
  private readonly ec2: EC2Client
  private readonly ecs: ECSClient
  private readonly iam: IAMClient
  private readonly loadBalancing: ElasticLoadBalancingV2Client
  private readonly rds: RDSClient
  private readonly s3: S3Client
  private readonly secrets: SecretsManagerClient
  private readonly waf: WAFV2Client

  constructor(endpoint: string, region: string) {
    const settings = clientSettings(endpoint, region)
    this.cloudWatch = new CloudWatchClient(settings)
    this.ec2 = new EC2Client(settings)
    this.ecs = new ECSClient(settings)
    this.iam = new IAMClient(settings)
    this.loadBalancing = new ElasticLoadBalancingV2Client(settings)
    this.rds = new RDSClient(settings)
    this.s3 = new S3Client({ ...settings, forcePathStyle: true })
    this.secrets = new SecretsManagerClient(settings)
    this.waf = new WAFV2Client(settings)
  }

  /** Waits until something is so, for a minute at the most. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 60_000
    while (!(await holds())) {
      assert.ok(Date.now() < deadline, 'it did not come true within a minute')
      await delay(200)
    }
  }

  /** Whether the state bucket has this key. */
  async hasState(key: string): Promise<boolean> {
    const Bucket = 'todo-state-123456789012-eu-central-1'
    return this.s3.send(new HeadObjectCommand({ Bucket, Key: key })).then(
      () => true,
      () => false,
    )
  }

  async network(): Promise<void> {
    const { Vpcs = [] } = await this.ec2.send(
      new DescribeVpcsCommand({ Filters: [{ Name: 'tag:Name', Values: [name] }] }),
    )
    const vpc = Vpcs[0]?.VpcId ?? ''
    const { SecurityGroups = [] } = await this.ec2.send(
      new DescribeSecurityGroupsCommand({ Filters: [{ Name: 'vpc-id', Values: [vpc] }] }),
    )
    const names = Object.fromEntries(SecurityGroups.map((group) => [group.GroupId, group.GroupName]))
    const { SecurityGroupRules = [] } = await this.ec2.send(
      new DescribeSecurityGroupRulesCommand({
        Filters: [{ Name: 'group-id', Values: Object.keys(names) }],
      }),
    )
    const end = (rule: SecurityGroupRule) =>
      rule.CidrIpv4 ?? rule.PrefixListId?.slice(0, 3) ?? names[rule.ReferencedGroupInfo?.GroupId ?? '']
    const edges = SecurityGroupRules.map(
      (rule) =>
        `${names[rule.GroupId ?? '']} ${rule.IsEgress ? 'to' : 'from'} ${end(rule)} ${rule.FromPort}-${rule.ToPort}`,
    )
    assert.deepEqual(edges.sort(), [
      `${name}-database from ${name}-service 5432-5432`,
      `${name}-endpoints from ${name}-service 443-443`,
      `${name}-load-balancer from 0.0.0.0/0 443-443`,
      `${name}-load-balancer from 0.0.0.0/0 80-80`,
      `${name}-load-balancer to ${name}-service ${facts.port}-${facts.port}`,
      `${name}-service from ${name}-load-balancer ${facts.port}-${facts.port}`,
      `${name}-service to pl- 443-443`,
      `${name}-service to ${name}-database 5432-5432`,
      `${name}-service to ${name}-endpoints 443-443`,
    ])
  }

  async database(): Promise<void> {
    const { DBClusters = [] } = await this.rds.send(
      new DescribeDBClustersCommand({ DBClusterIdentifier: name }),
    )
    const [cluster] = DBClusters
    assert.equal(cluster?.StorageEncrypted, true)
    assert.equal(cluster.DeletionProtection, true)
    assert.equal(cluster.BackupRetentionPeriod, 35)
    assert.deepEqual(cluster.EnabledCloudwatchLogsExports, ['postgresql'])
    assert.equal(cluster.ServerlessV2ScalingConfiguration?.MaxCapacity, 64)
    assert.equal(cluster.DBClusterMembers?.filter((member) => member.IsClusterWriter).length, 1)
    const secret = new DescribeSecretCommand({ SecretId: cluster.MasterUserSecret?.SecretArn })
    assert.ok((await this.secrets.send(secret)).ARN)
    const { DBInstances = [] } = await this.rds.send(new DescribeDBInstancesCommand())
    assert.deepEqual(
      DBInstances.map(({ PubliclyAccessible, DBInstanceClass }) => [PubliclyAccessible, DBInstanceClass]),
      [
        [false, 'db.serverless'],
        [false, 'db.serverless'],
      ],
    )
    const { Parameters = [] } = await this.rds.send(
      new DescribeDBClusterParametersCommand({
        DBClusterParameterGroupName: cluster.DBClusterParameterGroup,
      }),
    )
    const tls = Parameters.find(({ ParameterName }) => ParameterName === 'rds.force_ssl')
    assert.equal(tls?.ParameterValue, '1')
  }

  async service(digest: string): Promise<void> {
    const { services = [] } = await this.ecs.send(
      new DescribeServicesCommand({ cluster: name, services: [name] }),
    )
    const network = services[0]?.networkConfiguration?.awsvpcConfiguration
    assert.equal(network?.assignPublicIp, 'DISABLED')
    const { taskDefinition } = await this.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: services[0]?.taskDefinition ?? '' }),
    )
    assert.equal(taskDefinition?.status, 'ACTIVE')
    const [container] = taskDefinition.containerDefinitions ?? []
    assert.ok(container)
    assert.ok(container.image?.endsWith(`/todo@${digest}`))
    assert.deepEqual(container.logConfiguration, {
      logDriver: 'awslogs',
      options: {
        'awslogs-group': `/${name}/service`,
        'awslogs-region': 'eu-central-1',
        'awslogs-stream-prefix': 'service',
        mode: 'non-blocking',
        'max-buffer-size': '8m',
      },
    })
    assert.equal(container.readonlyRootFilesystem, true)
    assert.equal(container.stopTimeout, draining.stopTimeout)
    assert.ok(container.healthCheck?.command?.[3]?.includes(facts.healthPath))
    const given = Object.fromEntries((container.environment ?? []).map((pair) => [pair.name, pair.value]))
    assert.match(
      given.DATABASE_SECRET_ARN ?? '',
      /^arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!/,
    )
    assert.match(given.PGHOST ?? '', /^todo-production\.cluster-.+\.eu-central-1\.rds\.amazonaws\.com$/)
    assert.equal(given.PGSSLMODE, 'verify-full')
    assert.equal(given.PUBLIC_URL, 'https://todo.example.com')
  }

  async wayIn(): Promise<void> {
    const { LoadBalancers = [] } = await this.loadBalancing.send(
      new DescribeLoadBalancersCommand({ Names: [name] }),
    )
    const LoadBalancerArn = LoadBalancers[0]?.LoadBalancerArn ?? ''
    const attributes = await this.loadBalancing.send(
      new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn }),
    )
    const values = byKey(attributes.Attributes)
    assert.equal(values['routing.http.drop_invalid_header_fields.enabled'], 'true')
    assert.equal(values['access_logs.s3.enabled'], 'true')
    assert.equal(values['idle_timeout.timeout_seconds'], String(draining.idleTimeout))
    const { Listeners = [] } = await this.loadBalancing.send(
      new DescribeListenersCommand({ LoadBalancerArn }),
    )
    const actions = Listeners.map(({ Port, DefaultActions }) => [Port, DefaultActions?.[0]?.Type])
    assert.deepEqual(actions.sort(), [
      [443, 'forward'],
      [80, 'redirect'],
    ])
    const { TargetGroups = [] } = await this.loadBalancing.send(
      new DescribeTargetGroupsCommand({ Names: [name] }),
    )
    const [targets] = TargetGroups
    assert.deepEqual([targets?.HealthCheckPath, targets?.Port], [facts.healthPath, facts.port])
    const { Attributes } = await this.loadBalancing.send(
      new DescribeTargetGroupAttributesCommand({ TargetGroupArn: targets?.TargetGroupArn }),
    )
    const delaySeconds = byKey(Attributes)['deregistration_delay.timeout_seconds']
    assert.equal(delaySeconds, String(draining.deregistrationDelay))
    const firewall = await this.waf.send(new GetWebACLForResourceCommand({ ResourceArn: LoadBalancerArn }))
    assert.equal(firewall.WebACL?.Rules?.[0]?.Statement?.RateBasedStatement?.Limit, 10_000)
  }

  async alarms(): Promise<void> {
    const { MetricAlarms = [] } = await this.cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmNamePrefix: name }),
    )
    assert.equal(MetricAlarms.length, 7)
    for (const alarm of MetricAlarms) {
      assert.match(alarm.AlarmActions?.[0] ?? '', /:todo-production-alarms$/)
      assert.ok(
        alarm.Dimensions?.every(({ Value }) => Value?.includes(name)),
        alarm.AlarmName,
      )
    }
  }

  async roles(): Promise<void> {
    const { Role } = await this.iam.send(new GetRoleCommand({ RoleName: 'todo-deploy-production' }))
    const trusted = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))
    assert.deepEqual(trusted.Statement[0].Condition.StringEquals, {
      'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
      'token.actions.githubusercontent.com:sub': 'repo:example/todo:environment:production',
    })
    const { PolicyDocument } = await this.iam.send(
      new GetRolePolicyCommand({ RoleName: `${name}-task`, PolicyName: 'read-secret' }),
    )
    const { Statement } = JSON.parse(decodeURIComponent(PolicyDocument ?? ''))
    assert.equal(Statement.length, 1)
    assert.equal(Statement[0].Action, 'secretsmanager:GetSecretValue')
    assert.match(Statement[0].Resource, /^arn:aws:secretsmanager:.*:secret:rds!cluster-/)
  }

  /** What of production is still there, by name. */
  async leftovers(): Promise<string[]> {
    const { DBClusters = [] } = await this.rds.send(new DescribeDBClustersCommand())
    const { LoadBalancers = [] } = await this.loadBalancing.send(new DescribeLoadBalancersCommand())
    const { Vpcs = [] } = await this.ec2.send(
      new DescribeVpcsCommand({ Filters: [{ Name: 'tag:Name', Values: [name] }] }),
    )
    const { MetricAlarms = [] } = await this.cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmNamePrefix: name }),
    )
    return [
      ...DBClusters.map((cluster) => cluster.DBClusterIdentifier ?? ''),
      ...LoadBalancers.map((balancer) => balancer.LoadBalancerName ?? ''),
      ...Vpcs.map((vpc) => vpc.VpcId ?? ''),
      ...MetricAlarms.map((alarm) => alarm.AlarmName ?? ''),
    ]
  }
}

function byKey(pairs: { Key?: string | undefined; Value?: string | undefined }[] = []) {
  return Object.fromEntries(pairs.map(({ Key, Value }) => [Key, Value]))
}

function clientSettings(endpoint: string, region: string) {
  return { endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }
}

/** Requests the certificate that the settings of production name, as its operator does beforehand. */
export async function requestCertificate(
  endpoint: string,
  { region }: Project,
  domain: string,
): Promise<string> {
  const client = new ACMClient(clientSettings(endpoint, region))
  const request = new RequestCertificateCommand({ DomainName: domain, ValidationMethod: 'DNS' })
  return (await client.send(request)).CertificateArn ?? ''
}
