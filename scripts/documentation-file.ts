/**
 * `npm run docs:file -- PATH`: writes the documentation that `npm run docs` built as one HTML file, which is read
 * without the service and without a network. A release carries it.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { documentationFolder, withContract } from '../src/contract/documentation.js'

/** How the page gets Redoc from the service. */
const importOfRedoc = "import { hydrate } from './docs/redoc.js';"

async function writeFileTo(path: string): Promise<void> {
  const read = (name: string) => readFile(new URL(name, documentationFolder), 'utf8')
  const [page, redoc, contract] = await Promise.all([
    read('page.html'),
    read('redoc.js'),
    read('openapi.yaml'),
  ])
  if (!page.includes(importOfRedoc)) {
    throw new Error('The page imports Redoc in another way than it did: mend scripts/documentation-file.ts.')
  }
  const whole = withContract(page, JSON.stringify(parse(contract)))
  await writeFile(
    path,
    whole.replace(importOfRedoc, () => redoc),
  )
}

const path = process.argv[2]
if (path === undefined) throw new Error('Say where to: npm run docs:file -- PATH')
await writeFileTo(path)
