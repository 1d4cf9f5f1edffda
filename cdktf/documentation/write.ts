import { writeFileSync } from 'node:fs'
import { readDeployment } from '../checks/deployment.js'
import { withGeneratedParts } from './readme.js'

const deployment = readDeployment()
const file = new URL('../README.md', import.meta.url)
writeFileSync(file, withGeneratedParts(deployment.sources['README.md'] ?? '', deployment))
