import { escaped, STYLE } from '../chart.js'
import { type Curve, isCompared, SLOW } from './circumstances.js'
import type { Point } from './point.js'

const WIDTH = 860
const PANEL = { width: 330, height: 190 }
const LEFTS = [70, 500]
const TOPS = [104, 364]
const HEIGHT = 620

interface Quantity {
  readonly title: string
  readonly value: (point: Point) => number
  /** Where a value is, from 0 to 1 of the height, under the greatest of all. */
  readonly scale: (value: number, most: number) => number
  readonly ticks: (most: number) => number[]
  readonly unit: string
}

const QUANTITIES: readonly Quantity[] = [
  {
    title: 'accepted requests a second',
    value: ({ goodput }) => goodput,
    scale: (value, most) => value / most,
    ticks: (most) => [0, 1, 2, 3].map((part) => (part * most) / 3),
    unit: '',
  },
  {
    title: 'p99 of the accepted',
    value: ({ p99 }) => p99,
    scale: (value, most) => Math.log(Math.max(value, 1)) / Math.log(most),
    ticks: (most) => [1, 10, 100, 1_000, 10_000, 100_000].filter((tick) => tick <= most),
    unit: ' ms',
  },
]

/** Lines over the number of connections: what is answered and how late, for the fast database above and the slow below. */
export function chart(curves: readonly Curve[], caption: string): string {
  const compared = curves.filter(isCompared)
  const servers = [...new Set(compared.map(({ server }) => server))]
  const panels = (['fast', 'slow'] as const).flatMap((database, row) =>
    QUANTITIES.map((quantity, column) => {
      const here = compared.filter((curve) => curve.database === database)
      const heading = `${database === 'fast' ? 'Fast database' : `${SLOW} ms a statement`}: ${quantity.title}`
      return panel(here, servers, quantity, heading, LEFTS[column] ?? 0, TOPS[row] ?? 0)
    }),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">
<title>What is answered under overload, and how late, over the number of clients</title>
<style>${STYLE}${LINES}</style>
<rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="8"/>
<text class="title" x="24" y="34">Overload: half creates, half pages of 20, over the number of clients</text>
${servers.map(legend).join('\n')}
${panels.join('\n')}
<text class="note" x="24" y="${HEIGHT - 16}">${escaped(caption)}</text>
</svg>
`
}

/** By the place in the list: the service itself comes first. */
const LINES = `
.line { fill: none; stroke-width: 1.5 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.line0 { stroke: #0969da; stroke-width: 3 }
.line1 { stroke: #bc4c00 }
.line2 { stroke: #57606a; stroke-dasharray: 5 3 }
@media (prefers-color-scheme: dark) {
.grid { stroke: #3d444d }
.line0 { stroke: #4493f8 }
.line1 { stroke: #f0883e }
.line2 { stroke: #9198a1 }
}`

function legend(server: string, index: number): string {
  const left = 24 + index * 220
  const emphasis = index === 0 ? ' class="ours"' : ''
  return `<line class="line line${index}" x1="${left}" y1="54" x2="${left + 24}" y2="54"/><text${emphasis} x="${left + 32}" y="58">${escaped(server)}</text>`
}

function panel(
  curves: readonly Curve[],
  servers: readonly string[],
  { value, scale, ticks, unit }: Quantity,
  heading: string,
  left: number,
  top: number,
): string {
  const points = curves.flatMap((curve) => curve.points)
  const most = ceiling(Math.max(...points.map(value)))
  const loads = points.map(({ connections }) => connections)
  const [first, last] = [Math.min(...loads), Math.max(...loads)]
  const x = (load: number) => at(left + (Math.log(load / first) / Math.log(last / first)) * PANEL.width)
  const y = (each: number) => at(top + PANEL.height * (1 - scale(each, most)))
  const note = (number: number, x: string | number, y: string | number, anchor: string) =>
    `<text class="note" x="${x}" y="${y}" text-anchor="${anchor}">${Math.round(number).toLocaleString('en')}`
  const right = left + PANEL.width
  const grid = ticks(most).flatMap((tick) => [
    `<line class="grid" x1="${left}" y1="${y(tick)}" x2="${right}" y2="${y(tick)}"/>`,
    `${note(tick, left - 6, Number(y(tick)) + 4, 'end')}${unit}</text>`,
  ])
  const below = [...new Set(loads)].map(
    (load) => `${note(load, x(load), top + PANEL.height + 18, 'middle')}</text>`,
  )
  const lines = curves.map(({ server, points }) => {
    const path = points.map((point) => `${x(point.connections)},${y(value(point))}`).join(' ')
    return `<polyline class="line line${servers.indexOf(server)}" points="${path}"/>`
  })
  const title = `<text class="heading" x="${left - 46}" y="${top - 14}">${heading}</text>`
  return [title, ...grid, ...below, ...lines].join('\n')
}

const at = (position: number) => position.toFixed(1)

/** The next number that three lines divide well. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1.5, 3, 6, 9, 15].find((factor) => factor * power >= value) ?? 15) * power
}
