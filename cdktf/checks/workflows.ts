import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { parse } from 'yaml'
import { type Block, type Check, check } from './check.js'
import type { Deployment } from './deployment.js'
import { commandsOf, type Job, needsOf, readFromRoot, type Step, type Workflow } from './workflow-files.js'

const root = new URL('../../', import.meta.url)

/** What each job may do on GitHub, by workflow and job: nothing else, and nothing where it is not listed. */
const permissions: Record<string, Record<string, Record<string, string>>> = {
  'ci.yml': {
    parts: { contents: 'read' },
    test: { contents: 'read' },
    part: { contents: 'read' },
    'breaking-changes': { contents: 'read' },
    passed: {},
  },
  'release.yml': {
    check: { contents: 'read' },
    ci: { contents: 'read' },
    image: { contents: 'read', 'id-token': 'write', attestations: 'write' },
    publish: { contents: 'write' },
    deploy: { contents: 'read', 'id-token': 'write', attestations: 'read' },
  },
  'deploy.yml': {
    staging: { contents: 'read', 'id-token': 'write', attestations: 'read' },
    production: { contents: 'read', 'id-token': 'write', attestations: 'read' },
  },
  'deploy-environment.yml': { deploy: { contents: 'read', 'id-token': 'write', attestations: 'read' } },
}

const jobsOf = ({ workflows }: Deployment): Job[] =>
  Object.values(workflows).flatMap(({ jobs }) => Object.values(jobs))

const stepsOf = (deployment: Deployment): Step[] => jobsOf(deployment).flatMap(({ steps = [] }) => steps)

export function workflow({ workflows }: Deployment, name: string): Workflow {
  const found = workflows[name]
  assert.ok(found, `the workflow ${name} is missing`)
  return found
}

export function job(deployment: Deployment, name: string, id: string): Job {
  const found = workflow(deployment, name).jobs[id]
  assert.ok(found, `${name} has no job ${id}`)
  return found
}

/** Changes a workflow's text, and what is parsed of it. */
const rewrite = (name: string, from: string | RegExp, to: string) => (deployment: Deployment) => {
  const text = workflow(deployment, name).text.replace(from, to)
  deployment.workflows[name] = { text, ...parse(text) } as Workflow
}

export const workflowChecks: Check[] = [
  check(
    'every action is pinned to a commit, with its version beside it, and everywhere to the same one',
    (deployment) => {
      const pins = Object.values(deployment.workflows).flatMap(({ text }) =>
        [...text.matchAll(/\buses: (.*)$/gm)].map(([, used = '']) => used),
      )
      const others = pins.filter((used) => !used.startsWith('./.github/workflows/'))
      for (const used of others) assert.match(used, /^[\w-]+(\/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
      const actions = new Set(others.map((used) => used.split('@')[0]))
      assert.equal(new Set(others).size, actions.size, 'an action has two versions')
    },
    rewrite('ci.yml', /@[0-9a-f]{40} # v[\d.]+/, '@v7'),
    rewrite('ci.yml', / # v[\d.]+/, ''),
    rewrite('release.yml', /checkout@[0-9a-f]{40}/, `checkout@${'0'.repeat(40)}`),
  ),
  check(
    'nothing is permitted by default, and each job has the permissions that it needs',
    ({ workflows }) => {
      for (const [name, { permissions: byDefault }] of Object.entries(workflows)) {
        assert.deepEqual(byDefault, {}, name)
      }
      const given = Object.entries(workflows).map(([name, { jobs }]) => [
        name,
        Object.fromEntries(Object.entries(jobs).map(([id, { permissions }]) => [id, permissions])),
      ])
      assert.deepEqual(Object.fromEntries(given), permissions)
    },
    rewrite('release.yml', 'permissions: {}', 'permissions: write-all'),
    rewrite('ci.yml', 'contents: read', 'contents: write'),
    (deployment) => {
      delete job(deployment, 'release.yml', 'publish').permissions
    },
  ),
  check(
    'no workflow runs what a fork sends with rights of the repository, uses a secret, or keeps a credential',
    (deployment) => {
      const triggers = Object.values(deployment.workflows).flatMap(({ on }) => Object.keys(on))
      const known = ['pull_request', 'push', 'workflow_call', 'workflow_dispatch']
      assert.deepEqual([...new Set(triggers)].sort(), known)
      for (const { text } of Object.values(deployment.workflows)) assert.doesNotMatch(text, /\bsecrets\b/)
      for (const step of stepsOf(deployment)) {
        if (step.uses?.startsWith('actions/checkout@'))
          assert.equal(step.with?.['persist-credentials'], false)
      }
    },
    rewrite('ci.yml', 'pull_request:', 'pull_request_target:'),
    rewrite('release.yml', 'github.token', 'secrets.GITHUB_TOKEN'),
    rewrite('ci.yml', 'persist-credentials: false', 'persist-credentials: true'),
  ),
  check(
    'no text from outside gets into a command: expressions reach it as variables of the environment',
    (deployment) => {
      for (const { run = '' } of stepsOf(deployment)) assert.doesNotMatch(run, /\$\{\{/)
    },
    rewrite('ci.yml', '.ci/run "$PART"', `.ci/run \${{ matrix.part }}`),
  ),
  check(
    'every command is a script that exists',
    (deployment) => {
      const { scripts } = JSON.parse(readFromRoot('package.json')) as { scripts: Block }
      for (const command of jobsOf(deployment).flatMap(commandsOf)) {
        for (const [path] of command.matchAll(/\.ci\/\w+/g)) accessSync(new URL(path, root), constants.X_OK)
        for (const [, script = ''] of command.matchAll(/npm run (?:--silent )?([\w:]+)/g)) {
          assert.ok(scripts[script], `there is no npm script ${script}`)
        }
      }
    },
    rewrite('release.yml', '.ci/release check', '.ci/check'),
    rewrite('deploy-environment.yml', 'npm run synth', 'npm run synthesize'),
  ),
  check(
    'CI runs every part, the tests on the oldest Node.js and on that of the image, and one job tells of all',
    (deployment) => {
      const { jobs } = workflow(deployment, 'ci.yml')
      const { parts, part, test, passed, ...others } = jobs
      assert.ok(parts && part && test && passed)
      assert.match(commandsOf(parts).join(), /\.ci\/run --list/)
      assert.equal(part.strategy?.matrix.part, `\${{ fromJSON(needs.parts.outputs.names) }}`)
      const { engines } = JSON.parse(readFromRoot('package.json')) as { engines: { node: string } }
      const [, image] = /node:(\d+)/.exec(readFromRoot('Dockerfile')) ?? []
      const versions = test.strategy?.matrix.node as string[]
      assert.equal(`>=${versions[0]}`, engines.node)
      assert.ok(versions.includes(image ?? ''))
      assert.deepEqual(needsOf(passed), ['parts', 'test', 'part', ...Object.keys(others)])
    },
    rewrite('ci.yml', '.ci/run --list', 'echo'),
    rewrite('ci.yml', '"20.19", ', ''),
    rewrite('ci.yml', ', "24"', ''),
    rewrite('ci.yml', 'needs: [parts, ', 'needs: ['),
  ),
  check(
    'Dependabot watches every package, action and image, in groups',
    ({ dependabot }) => {
      const byKind = Object.fromEntries(
        dependabot.updates.map((update) => [update['package-ecosystem'], update]),
      )
      assert.deepEqual(Object.keys(byKind), ['npm', 'github-actions', 'docker'])
      for (const { groups } of dependabot.updates) assert.equal(Object.keys(groups).length, 1)
      const locks = execFileSync('git', ['ls-files', '*package-lock.json'], { cwd: root, encoding: 'utf8' })
      const folders = locks
        .trim()
        .split('\n')
        .map((lock) => `/${lock.replace(/\/?package-lock\.json$/, '')}`)
      assert.deepEqual(byKind.npm?.directories?.toSorted(), folders.sort())
    },
    ({ dependabot }) => {
      dependabot.updates.pop()
    },
    ({ dependabot }) => {
      dependabot.updates[0]?.directories?.pop()
    },
  ),
]
