import { fileURLToPath } from 'node:url'
import { settings, validated } from './settings.js'
import { synthesize } from './synthesize.js'

const outdir = fileURLToPath(new URL('cdktf.out', import.meta.url))

try {
  synthesize(validated(settings), outdir)
  console.log(`The stacks are in ${outdir}/stacks.`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
