import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { waitUntil } from '../../test/support/service.js'
import { findChromium } from './tools.js'

/** Starts the Chromium of this machine; undefined when there is none. */
export async function startBrowser(): Promise<Browser | undefined> {
  const executablePath = await findChromium()
  return executablePath === undefined ? undefined : chromium.launch({ executablePath })
}

/** A visit to the documentation, and everything that a reader's browser would complain about during it. */
export interface Visit {
  readonly page: Page
  /** Requests to other hosts, violations of the Content-Security-Policy, errors and warnings of the console. */
  readonly complaints: string[]
}

/** Opens the documentation of the service at `origin` and waits until Redoc has taken over the page. */
export async function visit(
  browser: Browser,
  origin: string,
  hash = '',
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    const own = request.url().startsWith(`${origin}/`) || request.url().startsWith('data:')
    if (!own) complaints.push(`asks ${request.url()}`)
  })
  await page.addInitScript(`document.addEventListener('securitypolicyviolation', (violation) => {
    console.error('policy violated: ' + violation.violatedDirective + ' ' + violation.blockedURI)
  })`)
  await page.goto(`${origin}/docs${hash}`)
  if (options.javaScriptEnabled !== false) {
    await page.getByTestId('search-trigger').getByText('Ctrl+K').waitFor({ state: 'attached' })
  }
  return { page, complaints }
}

/** Goes to a section of the open page and waits until it is in view at the top. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = '${hash}'`)
  await waitForSection(page, hash)
}

/** Waits until the heading of a section is in the upper half of the window, and stays where it is. */
export async function waitForSection(page: Page, hash: string): Promise<void> {
  const heading = page.locator(`[data-section-id="${hash.slice(1)}"] :is(h1, h2)`).first()
  const { height } = page.viewportSize() ?? { height: 0 }
  let last: number | undefined
  await waitUntil(`${hash} is in view`, async () => {
    const box = (await heading.isVisible()) ? await heading.boundingBox() : null
    const isSettled = box !== null && box.y === last
    last = box?.y
    return isSettled && box.y >= 0 && box.y < height / 2
  })
}
