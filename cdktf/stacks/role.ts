import type { EnvironmentName, Project } from '../settings.js'

/**
 * The path of every role that an environment's stacks make. The deploy role may manage roles under this path
 * only, so that it can neither change itself nor another environment.
 */
export function rolePath(project: Project, environment: EnvironmentName): string {
  return `/${project.name}/${environment}/`
}

/**
 * The most that any role made by a deploy role may do. The deploy role must attach it to each role it makes, or
 * it could make itself an administrator.
 */
export function boundaryArn(project: Project): string {
  return `arn:aws:iam::${project.account}:policy/${project.name}-boundary`
}

/** What all roles of an environment have in common. */
export interface RoleSettings {
  account: string
  named(purpose: string): { name: string; path: string; permissionsBoundary: string }
}

/** The common part of an environment's roles: name, path and boundary. */
export function roleSettings(project: Project, environment: EnvironmentName): RoleSettings {
  return {
    account: project.account,
    named: (purpose) => ({
      name: `${project.name}-${environment}-${purpose}`,
      path: rolePath(project, environment),
      permissionsBoundary: boundaryArn(project),
    }),
  }
}
