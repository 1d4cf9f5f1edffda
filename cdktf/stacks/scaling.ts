import { taskSizes } from '../capacity.js'
import {
  AppautoscalingPolicy,
  AppautoscalingTarget,
  type EcsCluster,
  type EcsService,
  type TerraformStack,
} from '../provider.js'
import type { Environment } from '../settings.js'
import type { WayIn } from './load-balancer.js'

/** Adds and removes tasks: whichever of processor and requests asks for more wins. */
export function scaling(
  stack: TerraformStack,
  prefix: string,
  { service: wanted }: Environment,
  cluster: EcsCluster,
  service: EcsService,
  { loadBalancer, targets }: WayIn,
): void {
  const target = new AppautoscalingTarget(stack, 'scaling', {
    serviceNamespace: 'ecs',
    scalableDimension: 'ecs:service:DesiredCount',
    resourceId: `service/${cluster.name}/${service.name}`,
    minCapacity: wanted.minimumTasks,
    maxCapacity: wanted.maximumTasks,
  })
  const track = (id: string, targetValue: number, metric: { type: string; resourceLabel?: string }) =>
    new AppautoscalingPolicy(stack, `scaling_by_${id}`, {
      name: `${prefix}-${id}`,
      policyType: 'TargetTrackingScaling',
      serviceNamespace: target.serviceNamespace,
      scalableDimension: target.scalableDimension,
      resourceId: target.resourceId,
      targetTrackingScalingPolicyConfiguration: {
        targetValue,
        predefinedMetricSpecification: {
          predefinedMetricType: metric.type,
          ...(metric.resourceLabel && { resourceLabel: metric.resourceLabel }),
        },
        scaleOutCooldown: 60,
        scaleInCooldown: 300,
      },
    })
  track('cpu', 60, { type: 'ECSServiceAverageCPUUtilization' })
  track('requests', taskSizes[wanted.size].requestsPerMinute, {
    type: 'ALBRequestCountPerTarget',
    resourceLabel: `${loadBalancer.arnSuffix}/${targets.arnSuffix}`,
  })
}
