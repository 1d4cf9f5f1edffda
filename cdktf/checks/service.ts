import assert from 'node:assert/strict'
import { attributes, below, type Check, check, list, only, reference } from './check.js'
import { container, type Deployment, resource, resources, variables } from './deployment.js'

const service = ({ production }: Pick<Deployment, 'production'>) =>
  resource(production.service, 'aws_ecs_service')
const loadBalancer = ({ production }: Pick<Deployment, 'production'>) =>
  resource(production.service, 'aws_lb')
const targets = ({ production }: Pick<Deployment, 'production'>) =>
  resource(production.service, 'aws_lb_target_group')

/** The metrics that must have an alarm. */
const watched = [
  'ACUUtilization',
  'CPUUtilization',
  'DatabaseConnections',
  'HTTPCode_ELB_5XX_Count',
  'HTTPCode_Target_5XX_Count',
  'TargetResponseTime',
  'UnHealthyHostCount',
]

export const serviceChecks: Check[] = [
  attributes('a deployment is safe: nothing is stopped before its successor is healthy', service, {
    deployment_minimum_healthy_percent: 100,
    deployment_maximum_percent: 200,
    deployment_circuit_breaker: { enable: true, rollback: true },
    wait_for_steady_state: true,
    health_check_grace_period_seconds: 60,
  }),
  check(
    'nothing is left out of comparison but the number of tasks, which the scaling decides',
    ({ bootstrap, production, staging }) => {
      const stacks = [
        bootstrap,
        ...[production, staging].flatMap(({ database, service }) => [database, service]),
      ]
      for (const { resource } of stacks) {
        const ignored = JSON.stringify(resource).match(/"ignore_changes":(\[[^\]]*\]|"[^"]*")/g) ?? []
        for (const found of ignored) assert.equal(found, '"ignore_changes":["desired_count"]')
      }
      assert.deepEqual(service({ production }).lifecycle, { ignore_changes: ['desired_count'] })
    },
    ({ production }) => {
      targets({ production }).lifecycle = { ignore_changes: 'all' }
    },
    (deployment) => {
      service(deployment).lifecycle = { ignore_changes: ['desired_count', 'task_definition'] }
    },
  ),
  check(
    'ECS.2: tasks are in private subnets, without public addresses',
    ({ production }) => {
      const network = below(service({ production }), 'network_configuration')
      assert.equal(network.assign_public_ip, false)
      for (const subnet of network.subnets as string[]) assert.match(subnet, /aws_subnetprivate_subnet_/)
      assert.match(String(network.security_groups), /aws_security_groupservice_groupid\}$/)
    },
    (deployment) => {
      below(service(deployment), 'network_configuration').assign_public_ip = true
    },
    (deployment) => {
      const network = below(service(deployment), 'network_configuration')
      network.subnets = String(network.subnets).replaceAll('private', 'public').split(',')
    },
  ),
  attributes('ECS.10: the newest platform of Fargate', service, {
    launch_type: 'FARGATE',
    platform_version: 'LATEST',
  }),
  attributes(
    'ECS.12: Container Insights is on',
    ({ production }) => resource(production.service, 'aws_ecs_cluster'),
    {
      setting: [{ name: 'containerInsights', value: 'enabled' }],
    },
  ),
  check(
    'the health path is the liveness path of the contract',
    ({ production, facts }) => {
      assert.deepEqual(targets({ production }).health_check, {
        path: facts.healthPath,
        matcher: '200',
        interval: 10,
        timeout: 5,
        healthy_threshold: 2,
        unhealthy_threshold: 3,
      })
    },
    (deployment) => {
      below(targets(deployment), 'health_check').path = '/health/ready'
    },
  ),
  check(
    'ELB.1: with a certificate HTTP only redirects to HTTPS',
    ({ production }) => {
      const http = resource(production.service, 'aws_lb_listener', 'http')
      assert.deepEqual([http.port, http.protocol], [80, 'HTTP'])
      assert.deepEqual(http.default_action, [
        { type: 'redirect', redirect: { protocol: 'HTTPS', port: '443', status_code: 'HTTP_301' } },
      ])
    },
    ({ production }) => {
      resource(production.service, 'aws_lb_listener', 'http').default_action = [{ type: 'forward' }]
    },
  ),
  attributes(
    'ELB.17: HTTPS uses a recommended policy',
    ({ production }) => resource(production.service, 'aws_lb_listener', 'https'),
    { ssl_policy: 'ELBSecurityPolicy-TLS13-1-2-2021-06' },
  ),
  attributes(
    'ELB.18: with a certificate requests are forwarded from HTTPS',
    ({ production }) => resource(production.service, 'aws_lb_listener', 'https'),
    {
      port: 443,
      protocol: 'HTTPS',
      default_action: [{ type: 'forward', target_group_arn: reference('aws_lb_target_group.targets.arn') }],
    },
  ),
  attributes('ELB.4: invalid headers are dropped', loadBalancer, { drop_invalid_header_fields: true }),
  attributes('ELB.5: access is logged', loadBalancer, {
    access_logs: { enabled: true, bucket: reference('aws_s3_bucket.access_logs.bucket') },
  }),
  attributes('ELB.6: the load balancer is protected against deletion', loadBalancer, {
    enable_deletion_protection: true,
  }),
  attributes('ELB.12: requests that could be read in two ways are defused', loadBalancer, {
    desync_mitigation_mode: 'defensive',
  }),
  check(
    'ELB.13: the load balancer, open to the internet, is in two zones',
    ({ production }) => {
      const { subnets, internal } = loadBalancer({ production })
      assert.equal(internal, false)
      assert.equal(new Set(subnets as string[]).size, 2)
      for (const subnet of subnets as string[]) assert.match(subnet, /aws_subnetpublic_subnet_/)
    },
    (deployment) => {
      loadBalancer(deployment).subnets = (loadBalancer(deployment).subnets as string[]).slice(1)
    },
  ),
  check(
    'ELB.16: a firewall with a rate rule stands before the load balancer, and logs what it blocks',
    ({ production, staging }) => {
      const rules = list(resource(production.service, 'aws_wafv2_web_acl').rule)
      assert.deepEqual(below(only(rules), 'statement', 'rate_based_statement'), {
        limit: 10_000,
        evaluation_window_sec: 300,
        aggregate_key_type: 'IP',
      })
      assert.deepEqual(only(rules).action, { block: {} })
      const association = resource(production.service, 'aws_wafv2_web_acl_association')
      assert.equal(association.resource_arn, reference('aws_lb.load_balancer.arn'))
      resource(production.service, 'aws_wafv2_web_acl_logging_configuration')
      assert.deepEqual(resources(staging.service, 'aws_wafv2_web_acl'), {}, 'staging sets none')
    },
    ({ production }) => {
      delete production.service.resource.aws_wafv2_web_acl_association
    },
    ({ production }) => {
      only(list(resource(production.service, 'aws_wafv2_web_acl').rule)).action = { count: {} }
    },
    ({ production }) => {
      delete production.service.resource.aws_wafv2_web_acl_logging_configuration
    },
  ),
  check(
    'the URL of the output is the PUBLIC_URL of the service',
    ({ production, staging }) => {
      assert.equal(staging.service.output.url?.value, `http://${reference('aws_lb.load_balancer.dns_name')}`)
      assert.equal(production.service.output.url?.value, 'https://todo.example.com')
      for (const stacks of [production, staging]) {
        assert.equal(variables(stacks).PUBLIC_URL, stacks.service.output.url?.value)
      }
    },
    ({ production }) => {
      const url = list(container(production).environment).find(({ name }) => name === 'PUBLIC_URL')
      if (url) url.value = 'http://todo.example.com'
    },
  ),
  check(
    'CloudWatch.15: every watched metric has an alarm that tells the topic',
    ({ production }) => {
      const alarms = Object.values(resources(production.service, 'aws_cloudwatch_metric_alarm'))
      assert.deepEqual(alarms.map(({ metric_name }) => metric_name).sort(), watched)
      for (const alarm of alarms) assert.match(String(alarm.alarm_actions), /aws_sns_topicalarmsarn\}$/)
    },
    ({ production }) => {
      delete resources(production.service, 'aws_cloudwatch_metric_alarm').latency_alarm
    },
    ({ production }) => {
      resource(production.service, 'aws_cloudwatch_metric_alarm', 'database_cpu_alarm').alarm_actions = []
    },
  ),
  check(
    'the service scales between its limits by processor and by requests',
    ({ production }) => {
      const { min_capacity, max_capacity } = resource(production.service, 'aws_appautoscaling_target')
      assert.deepEqual([min_capacity, max_capacity], [2, 20])
      const metrics = Object.values(resources(production.service, 'aws_appautoscaling_policy')).map(
        (policy) =>
          below(policy, 'target_tracking_scaling_policy_configuration', 'predefined_metric_specification')
            .predefined_metric_type,
      )
      assert.deepEqual(metrics.sort(), ['ALBRequestCountPerTarget', 'ECSServiceAverageCPUUtilization'])
    },
    ({ production }) => {
      delete resources(production.service, 'aws_appautoscaling_policy').scaling_by_requests
    },
  ),
  check(
    'SHUTDOWN_DELAY outlasts deregistration, stopTimeout the delay and the drain, keep-alive the idle timeout',
    ({ production, facts }) => {
      const shutdownDelay = Number(variables(production).SHUTDOWN_DELAY)
      const stopTimeout = Number(container(production).stopTimeout)
      assert.ok(shutdownDelay > Number(targets({ production }).deregistration_delay))
      assert.ok(stopTimeout > shutdownDelay + facts.drainLimit)
      assert.ok(stopTimeout <= 120, 'Fargate waits no longer')
      assert.ok(facts.keepAlive > Number(loadBalancer({ production }).idle_timeout))
    },
    (deployment) => {
      targets(deployment).deregistration_delay = '30'
    },
    ({ production }) => {
      container(production).stopTimeout = 30
    },
    (deployment) => {
      deployment.facts.drainLimit = 40
    },
    (deployment) => {
      loadBalancer(deployment).idle_timeout = 75
    },
  ),
]
