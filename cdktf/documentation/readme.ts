import type { Deployment } from '../checks/deployment.js'
import { costTable } from './costs.js'
import { diagram } from './diagram.js'

/** The README with what is drawn and calculated put between its marks. */
export function withGeneratedParts(readme: string, deployment: Deployment): string {
  const parts = {
    diagram: `\`\`\`mermaid\n${diagram(deployment)}\n\`\`\``,
    costs: costTable(deployment.settings),
  }
  return Object.entries(parts).reduce((text, [name, part]) => {
    const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end of ${name} -->)`)
    if (!marks.test(text)) throw new Error(`README.md has no marks for the part "${name}".`)
    return text.replace(marks, (_all, begin: string, end: string) => `${begin}\n${part}\n\n${end}`)
  }, readme)
}
