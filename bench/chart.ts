import type { Line } from './statistics.js'
import type { WorkName } from './work.js'

const WORKS: Partial<Record<WorkName, string>> = {
  get: 'Get by id',
  list: 'Page of 20 with three parameters',
  create: 'Create',
}

const WIDTH = 860
const LEFT = 220
const RIGHT = 180
const ROW = 24
const HEADING = 40

/**
 * Bars of CPU time a request, one group for each kind of work. It has a background of its own and follows the reader's
 * colour scheme, so that it can be read wherever it is shown.
 */
export function chart(lines: readonly Line[], caption: string): string {
  let top = 62
  const groups: string[] = []
  for (const [work, title] of Object.entries(WORKS)) {
    const here = lines.filter((line) => line.work === work)
    groups.push(`<text class="heading" x="24" y="${top + 18}">${title}</text>`)
    top += HEADING - 12
    const scale = (WIDTH - LEFT - RIGHT) / Math.max(...here.map(({ values }) => values.cpu.median))
    for (const line of here) {
      groups.push(bar(line, top, scale))
      top += ROW
    }
    top += 12
  }
  const height = top + 34
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>CPU time a request, in microseconds: less is better</title>
<style>${STYLE}</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="8"/>
<text class="title" x="24" y="34">CPU time a request in microseconds: less is better</text>
${legend()}
${groups.join('\n')}
<text class="note" x="24" y="${height - 16}">${escaped(caption)}</text>
</svg>
`
}

export const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.heading { font-weight: 600 }
.ours { font-weight: 600 }
.note { font-size: 11px; fill: #59636e }
.paper { fill: #ffffff; stroke: #d1d9e0 }
.server { fill: #0969da }
.database { fill: #8c959f }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.note { fill: #9198a1 }
.paper { fill: #0d1117; stroke: #3d444d }
.server { fill: #4493f8 }
.database { fill: #656c76 }
}`

function legend(): string {
  const left = WIDTH - 210
  return `<rect class="server" x="${left}" y="24" width="12" height="12"/><text x="${left + 18}" y="34">server</text>
<rect class="database" x="${left + 80}" y="24" width="12" height="12"/><text x="${left + 98}" y="34">PostgreSQL</text>`
}

function bar({ server, values }: Line, top: number, scale: number): string {
  const { serverCpu, databaseCpu, throughput } = values
  const [first, second] = [serverCpu.median * scale, databaseCpu.median * scale]
  const emphasis = server === 'ours' ? ' class="ours"' : ''
  const numbers = `${serverCpu.median.toFixed(0)} + ${databaseCpu.median.toFixed(0)}, ${Math.round(throughput.median).toLocaleString('en')}/s`
  return [
    `<text${emphasis} x="${LEFT - 10}" y="${top + 14}" text-anchor="end">${escaped(server)}</text>`,
    `<rect class="server" x="${LEFT}" y="${top + 2}" width="${first.toFixed(1)}" height="16"/>`,
    `<rect class="database" x="${(LEFT + first).toFixed(1)}" y="${top + 2}" width="${second.toFixed(1)}" height="16"/>`,
    `<text${emphasis} x="${(LEFT + first + second + 8).toFixed(1)}" y="${top + 14}">${numbers}</text>`,
  ].join('\n')
}

export const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
