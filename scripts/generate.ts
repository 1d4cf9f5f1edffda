/**
 * Writes generated/contract.ts from openapi.yaml: the types that openapi-typescript derives, and the names of the
 * parameters that have a default, which the validator fills in and the types of openapi-typescript leave optional.
 *
 * `npm run generate` writes; `npm run generate -- --check` only compares, and exits 1 when the file is stale.
 */
import { readFile, writeFile } from 'node:fs/promises'
import openapiTS, { astToString } from 'openapi-typescript'
import { loadContract, operationsOf } from '../src/contract/contract.js'

const source = new URL('../openapi.yaml', import.meta.url)
const target = new URL('../generated/contract.ts', import.meta.url)

const types = astToString(
  await openapiTS(source, {
    defaultNonNullable: false,
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
    silent: true,
  }),
)

const operations = operationsOf(await loadContract(source))
const defaulted = operations.map((operation) => {
  const names = operation.parameters
    .filter(({ schema }) => schema.default !== undefined)
    .map(({ name }) => `'${name}'`)
  return `    ${operation.operationId}: ${names.join(' | ') || 'never'};`
})
const generated = `// Written by \`npm run generate\` from openapi.yaml. Do not edit.
${types}
/** The parameters of each operation that have a value even when the client sends none. */
export interface DefaultedParameters {
${defaulted.join('\n')}
}
`

if (!process.argv.includes('--check')) {
  await writeFile(target, generated)
} else if (generated !== (await readFile(target, 'utf8').catch(() => ''))) {
  console.error('generated/contract.ts is stale: run `npm run generate` and commit the result.')
  process.exit(1)
}
