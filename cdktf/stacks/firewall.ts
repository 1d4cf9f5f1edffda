import {
  CloudwatchLogGroup,
  type Lb,
  type TerraformStack,
  Wafv2WebAcl,
  Wafv2WebAclAssociation,
  Wafv2WebAclLoggingConfiguration,
} from '../provider.js'
import type { Environment } from '../settings.js'

/** Blocks an address that sends too much, and logs what it blocked. Bodies are the contract's business. */
export function firewall(
  stack: TerraformStack,
  prefix: string,
  environment: Environment,
  loadBalancer: Lb,
): void {
  if (!environment.firewall) return
  const visible = (metricName: string) => ({
    metricName,
    cloudwatchMetricsEnabled: true,
    sampledRequestsEnabled: true,
  })
  const list = new Wafv2WebAcl(stack, 'firewall', {
    name: prefix,
    description: `${prefix}: one address, one fair share`,
    scope: 'REGIONAL',
    defaultAction: { allow: {} },
    rule: [
      {
        name: 'rate',
        priority: 1,
        action: { block: {} },
        // The bindings pass a statement through as it is, so that it is written as Terraform writes it.
        statement: {
          rate_based_statement: {
            limit: environment.firewall.requestsPerFiveMinutes,
            evaluation_window_sec: 300,
            aggregate_key_type: 'IP',
          },
        },
        visibilityConfig: visible(`${prefix}-rate`),
      },
    ],
    visibilityConfig: visible(prefix),
  })
  new Wafv2WebAclAssociation(stack, 'firewall_association', {
    resourceArn: loadBalancer.arn,
    webAclArn: list.arn,
  })
  const logs = new CloudwatchLogGroup(stack, 'firewall_logs', {
    // AWS accepts no other beginning for a firewall's log.
    name: `aws-waf-logs-${prefix}`,
    retentionInDays: environment.logDays,
  })
  new Wafv2WebAclLoggingConfiguration(stack, 'firewall_logging', {
    resourceArn: list.arn,
    logDestinationConfigs: [logs.arn],
    loggingFilter: {
      defaultBehavior: 'DROP',
      filter: [
        {
          behavior: 'KEEP',
          requirement: 'MEETS_ANY',
          condition: [{ actionCondition: { action: 'BLOCK' } }],
        },
      ],
    },
  })
}
