/**
 * Runs within `npm version`, after it wrote the new version to package.json: takes it over to the contract, the
 * TypeScript client and the changelog, which npm then commits and tags together.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { isScalar, parseDocument } from 'yaml'

const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }

await edit('openapi.yaml', (text) => {
  const written = parseDocument(text).getIn(['info', 'version'], true)
  if (!isScalar(written) || !written.range) throw new Error('openapi.yaml has no info.version.')
  const [start, end] = written.range
  return text.slice(0, start) + version + text.slice(end)
})
await edit('client/package.json', (text) => text.replace(/"version": ".*"/, `"version": "${version}"`))
await edit('CHANGELOG.md', (text) => {
  const day = new Date().toISOString().slice(0, 10)
  return text.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}] - ${day}\n`)
})

/** Rewrites a file in place, so that everything but the version stays to the letter. */
async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')))
}
