/**
 * The seconds that decide whether a deployment costs a request. ECS sends SIGTERM while the load balancer still
 * sends requests, so each of these has to outlast another; checks/draining.ts holds the order.
 */
export const draining = {
  /** How long the load balancer takes to stop sending to a task that is leaving. */
  deregistrationDelay: 10,
  /** SHUTDOWN_DELAY: how long the service goes on accepting after SIGTERM. */
  shutdownDelay: 20,
  /** When ECS kills what is still there; Fargate allows 120 at most. */
  stopTimeout: 60,
  /** When the load balancer closes a connection that nothing travels on. */
  idleTimeout: 60,
} as const
