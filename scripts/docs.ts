/**
 * Builds the documentation into dist/docs, from where the service serves it: the contract with its code samples, the
 * Redoc page, and Redoc itself, compressed.
 *
 * `npm run docs` builds; `npm run docs -- --when-stale` only if the contract, a sample or this script changed since.
 */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { parseDocument } from 'yaml'
import { contractFile, loadContract, operationsOf } from '../src/contract/contract.js'
import { CONTRACT_PLACEHOLDER, documentationFolder } from '../src/contract/documentation.js'

const root = new URL('../', import.meta.url)
const sources = new URL('docs/', root)

/** The languages of the code samples: the extension of the files, and how the page names the language. */
const languages = [
  { extension: 'sh', lang: 'Shell', label: 'curl' },
  { extension: 'ts', lang: 'TypeScript', label: 'TypeScript' },
  { extension: 'py', lang: 'Python', label: 'Python' },
  { extension: 'go', lang: 'Go', label: 'Go' },
]

/** Redoc's settings: it shows samples only in languages that it is told of, and the request's body beside them. */
const redocOptions = {
  codeSamples: { languages: [...languages.map(({ label }) => ({ lang: label })), { lang: 'Payload' }] },
  // Descriptions say what the patterns mean.
  hideSchemaPattern: true,
}

/** The contract with the samples of docs/samples in `x-codeSamples`. Rejects when one is missing, naming the file. */
async function contractWithSamples(): Promise<string> {
  const contract = await loadContract(contractFile)
  const document = parseDocument(contract.text)
  for (const { operationId, method, path } of operationsOf(contract)) {
    const samples = await Promise.all(
      languages.map(async ({ extension, lang, label }) => {
        const source = await readFile(new URL(`samples/${operationId}.${extension}`, sources), 'utf8')
        return { lang, label, source: source.trim() }
      }),
    )
    document.setIn(['paths', path, method.toLowerCase(), 'x-codeSamples'], document.createNode(samples))
  }
  return document.toString({ lineWidth: 0 })
}

/** Runs Redoc's build on a contract; its own telemetry is off, as Redocly's documentation of the command says. */
async function buildPage(contract: URL): Promise<string> {
  const page = new URL('redoc.html', documentationFolder)
  const redocly = fileURLToPath(new URL('node_modules/@redocly/cli/bin/cli.js', root))
  const options = [
    ['--output', fileURLToPath(page)],
    ['--config', fileURLToPath(new URL('redocly.yaml', root))],
    ['--template', fileURLToPath(new URL('page.hbs', sources))],
    ['--openapi', JSON.stringify(redocOptions)],
  ].flat()
  const environment = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const parameters = [redocly, 'build-docs', fileURLToPath(contract), '--inlineBundle', ...options]
  await promisify(execFile)(process.execPath, parameters, { env: environment })
  const html = await readFile(page, 'utf8')
  await rm(page)
  return html
}

/** What is changed everywhere in the page that Redoc made before it runs in the browser. */
const pageChanges: [RegExp, string][] = [
  // Links that are followed before Redoc runs, or opened in a new tab, must lead into this page.
  [/href="\/(?!\/)/g, 'href="#/'],
  [/API docs by/g, 'API docs by Redoc'],
]

/** What is changed everywhere in Redoc, so that it asks no other host and needs no right to evaluate text. */
const redocChanges: [RegExp, string][] = [
  // The logo, from a content delivery network; its name is written instead.
  [/https:\/\/cdn\.redoc\.ly\/redoc\/logo-mini(-full)?\.svg/g, 'data:,'],
  [/API docs by/g, 'API docs by Redoc'],
  // The search, in a worker made of text; it is done in the page instead, which for one contract is as fast.
  [/return \w+\._factory\?\?=Function\(\w+\),!0/g, 'return!1'],
]

/** Throws when there is nothing to change: then Redoc has changed, and the page may not be private. */
function changed(text: string, changes: [RegExp, string][]): string {
  return changes.reduce((before, [pattern, replacement]) => {
    if (!before.match(pattern)) throw new Error(`Redoc has no ${pattern} any more: mend scripts/docs.ts.`)
    return before.replaceAll(pattern, replacement)
  }, text)
}

/**
 * Takes Redoc out of the page, so that a reader's browser keeps it when the contract changes, and leaves a placeholder
 * for the contract, which the service fills in at start. Then nothing in either is left that asks another host.
 */
function splitPage(page: string): { html: string; script: string } {
  const [, redoc = '', contract = ''] =
    page.match(/<script type="module">\s*(.*?)\s*const __redoc_definition = ([^\n]*);\n/s) ?? []
  if (redoc === '') throw new Error("Redoc's page has no __redoc_definition any more: mend scripts/docs.ts.")
  const html = page
    .replace(redoc, () => "import { hydrate } from './docs/redoc.js';")
    .replace(contract, () => CONTRACT_PLACEHOLDER)
  return { html: changed(html, pageChanges), script: changed(redoc, redocChanges) }
}

/** Whether anything that the documentation is made of is newer than the documentation. */
async function isStale(): Promise<boolean> {
  const built = await stat(new URL('page.html', documentationFolder)).catch(() => undefined)
  if (built === undefined) return true
  const samples = (await readdir(new URL('samples/', sources))).map((name) => `docs/samples/${name}`)
  const files = ['openapi.yaml', 'docs/page.hbs', 'scripts/docs.ts', 'package-lock.json', ...samples]
  const ages = await Promise.all(files.map(async (file) => (await stat(new URL(file, root))).mtimeMs))
  return ages.some((age) => age > built.mtimeMs)
}

async function build(): Promise<void> {
  await rm(documentationFolder, { recursive: true, force: true })
  await mkdir(documentationFolder, { recursive: true })
  const contract = new URL('openapi.yaml', documentationFolder)
  await writeFile(contract, await contractWithSamples())
  const { html, script } = splitPage(await buildPage(contract))
  await writeFile(new URL('redoc.js', documentationFolder), script)
  await writeFile(new URL('redoc.js.br', documentationFolder), await promisify(brotliCompress)(script))
  await writeFile(new URL('redoc.js.gz', documentationFolder), await promisify(gzip)(script, { level: 9 }))
  // Last, for it is what tells that the rest is there.
  await writeFile(new URL('page.html', documentationFolder), html)
}

if (!process.argv.includes('--when-stale') || (await isStale())) await build()
