/**
 * The page as readers meet it: in a browser, on a desk and on a phone, with a keyboard, and without a network. What it
 * looks like is left in dist/pictures, for people to judge.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, type TestContext, test } from 'node:test'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { contractFile, loadContract, operationsOf } from '../../src/contract/contract.js'
import { type Service, startService } from '../../test/support/service.js'
import { goTo, startBrowser, visit, waitForSection } from './browser.js'
import { leaveOut } from './tools.js'

const phone = { viewport: { width: 375, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }
const samples = { curl: 'sh', TypeScript: 'ts', Python: 'py', Go: 'go' }

/** Faults of Redoc's own controls that nothing in our page can mend. */
const faultsOfRedoc = [
  // The choice of a media type is named "Request media type" and shows the type.
  'label-content-name-mismatch',
]

const contract = await loadContract(contractFile)
const operations = operationsOf(contract).map(({ operationId, method, path }) => {
  const { tags = [], summary = '' } = contract.document.paths[path]?.[method.toLowerCase() as 'get'] ?? {}
  return { operationId, summary, hash: `#/${tags[0]}/${operationId}`.toLowerCase() }
})
const guide = (contract.document.info.description ?? '').replaceAll(/```.*?```/gs, '')
const chapters = [...guide.matchAll(/^# (.*)$/gm)].map(([, title = '']) => ({
  title,
  hash: `#/section/${title.toLowerCase().replaceAll(' ', '-')}`,
}))

let service: Service
let browser: Browser | undefined

before(async () => {
  service = await startService()
  browser = await startBrowser()
})
after(() => browser?.close())

type Open = (hash?: string, options?: BrowserContextOptions) => Promise<Page>

/** A test in the browser, which fails too when the browser complains of any page that it opened. */
function inBrowser(name: string, body: (open: Open, context: TestContext) => Promise<void>): void {
  test(name, async (context) => {
    if (!browser) return leaveOut(context, 'Chromium is not installed')
    const visits: Awaited<ReturnType<typeof visit>>[] = []
    context.after(() => Promise.all(visits.map(({ page }) => page.context().close())))
    const open: Open = async (hash, options) => {
      const opened = await visit(browser as Browser, service.url, hash, options)
      visits.push(opened)
      return opened.page
    }
    await body(open, context)
    assert.deepEqual(
      visits.flatMap(({ complaints }) => complaints),
      [],
    )
  })
}

inBrowser('everything can be opened, and nothing asks another host or breaks a rule', async (open) => {
  const page = await open()
  await page.screenshot({ path: 'dist/pictures/guide.png' })
  for (const { hash } of [...chapters, ...operations]) await goTo(page, hash)
  await page.getByTestId('color-mode-switcher').click()
  await page.waitForSelector('html.dark')
  await page.reload()
  await page.waitForSelector('html.dark')
})

inBrowser('deep links lead to each chapter and each operation', async (open) => {
  const page = await open()
  for (const { hash } of [...chapters, ...operations]) await follow(page, hash, hash)
})

/** Loads the page anew by a link, as from a bookmark or a chat. */
async function follow(page: Page, link: string, section: string): Promise<void> {
  await page.goto('about:blank')
  await page.goto(`${service.url}/docs${link}`)
  await waitForSection(page, section)
}

inBrowser('every link of the guide leads somewhere', async (open) => {
  const page = await open()
  const anchors = await page.locator('main a[href]').all()
  const links = new Set(await Promise.all(anchors.map(async (anchor) => anchor.getAttribute('href'))))
  assert.ok(links.has('openapi.yaml') && links.has('#operation/listTodos'))
  for (const link of links) {
    const [, operationId] = /^#operation\/(.*)/.exec(String(link)) ?? []
    if (operationId) await follow(page, String(link), hashOf(operationId))
    else if (!/^(https?:|#)/.test(String(link))) {
      assert.equal((await fetch(new URL(String(link), `${service.url}/docs`))).status, 200, String(link))
    }
  }
})

function hashOf(operationId: string): string {
  const operation = operations.find((each) => each.operationId === operationId)
  assert.ok(operation, `the guide names ${operationId}, which is no operation`)
  return operation.hash
}

inBrowser('the search finds an operation, and Enter leads there', async (open) => {
  const page = await open()
  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Search').fill('replace')
  await page.getByTestId('search-dialog').getByText('Replaces all writable fields').waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await waitForSection(page, '#/todos/replacetodo')
})

inBrowser('each operation shows its samples in four languages', async (open) => {
  const page = await open(operations[0]?.hash)
  for (const [language, extension] of Object.entries(samples)) {
    await goTo(page, operations[0]?.hash ?? '')
    await chooseLanguage(page, operations[0]?.hash ?? '', language)
    for (const { operationId, hash } of operations) {
      await goTo(page, hash)
      const source = await readFile(`docs/samples/${operationId}.${extension}`, 'utf8')
      const shown = samplesOf(page, hash).getByTestId('source-code')
      assert.equal((await shown.textContent())?.trim(), source.trim())
    }
  }
})

const samplesOf = (page: Page, hash: string) =>
  page.locator(`[data-section-id="${hash.slice(1)}"] .panel-request-samples`)

async function chooseLanguage(page: Page, hash: string, language: string): Promise<void> {
  await samplesOf(page, hash).getByRole('button', { expanded: false }).nth(1).click()
  await page.getByRole('menuitem', { name: language, exact: true }).click()
}

inBrowser('a phone shows all of it without scrolling sideways, and a menu', async (open) => {
  const page = await open('', phone)
  await page.screenshot({ path: 'dist/pictures/phone.png' })
  for (const { hash } of [...chapters, ...operations]) {
    await goTo(page, hash)
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), phone.viewport.width, hash)
  }
  const size = await page.evaluate("getComputedStyle(document.querySelector('main p')).fontSize")
  assert.ok(Number.parseFloat(String(size)) >= 14, String(size))
  await page.getByRole('button', { name: 'Open navigation menu' }).click()
  await page.locator('.menu-content').getByText('Conditional requests').click()
  await waitForSection(page, '#/section/conditional-requests')
})

inBrowser('the figure in the guide fits on a phone', async (open) => {
  const page = await open('#/section/conditional-requests', phone)
  const figure = page.locator('[data-section-id="/section/conditional-requests"] pre')
  const [shown, needed] = await figure.evaluate((element) => [element.clientWidth, element.scrollWidth])
  assert.equal(shown, needed)
})

inBrowser('the keyboard alone reaches the chapters, the operations and the search', async (open) => {
  const page = await open()
  await tabTo(page, "element.getAttribute('href') === '#/section/errors'")
  await page.keyboard.press('Enter')
  await waitForSection(page, '#/section/errors')
  await tabTo(page, "element.textContent === 'Todos'")
  await page.keyboard.press('Enter')
  await waitForSection(page, '#/todos')
  await tabTo(page, "element.textContent?.startsWith('Create a todo')")
  await page.keyboard.press('Enter')
  await waitForSection(page, '#/todos/createtodo')
  await page.keyboard.press('Control+k')
  await page.getByTestId('search-dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByTestId('search-dialog').waitFor({ state: 'hidden' })
})

/** Presses Tab until the element with the focus, which must be seen to have it, fulfils a condition. */
async function tabTo(page: Page, condition: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab')
    const reached = await page.evaluate(`((element) => ${condition})(document.activeElement)`)
    if (reached) {
      const visible = await page.evaluate("document.activeElement.matches(':focus-visible')")
      assert.ok(visible, 'the focus is visible')
      return
    }
  }
  assert.fail(`60 times Tab do not reach the element for which ${condition}`)
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [screen, options] of Object.entries({ desk: {}, phone })) {
    inBrowser(`axe finds no serious fault of ours: ${screen}, ${colorScheme}`, async (open) => {
      const page = await open('', { ...options, colorScheme })
      await page.evaluate(axe.source)
      for (const hash of ['#/section/errors', ...['listTodos', 'updateTodo', 'createTodo'].map(hashOf)]) {
        await goTo(page, hash)
        assert.deepEqual(await seriousFaults(page), [], hash)
      }
      await page.screenshot({ path: `dist/pictures/${screen}-${colorScheme}.png` })
    })
  }
}

async function seriousFaults(page: Page): Promise<string[]> {
  const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults
  return violations
    .filter(
      ({ id, impact }) => ['serious', 'critical'].includes(String(impact)) && !faultsOfRedoc.includes(id),
    )
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}

inBrowser('without JavaScript the guide can be read', async (open) => {
  const page = await open('', { javaScriptEnabled: false })
  for (const { title } of chapters) await page.getByRole('heading', { name: title }).waitFor()
  await page.getByText('Of two writers who hold the same tag').waitFor()
})

test('with PUBLIC_URL the page shows that server and uses it in the samples', async (context) => {
  if (!browser) return leaveOut(context, 'Chromium is not installed')
  const publicUrl = 'https://todo.example.org'
  const { url } = await startService({ PUBLIC_URL: publicUrl })
  const { page, complaints } = await visit(browser, url)
  context.after(() => page.context().close())
  await page.locator('main').getByText(publicUrl, { exact: true }).waitFor()
  await goTo(page, '#/todos/createtodo')
  const shown = samplesOf(page, '#/todos/createtodo').getByTestId('source-code')
  assert.match(String(await shown.textContent()), /curl -i https:\/\/todo\.example\.org\/todos/)
  assert.deepEqual(complaints, [])
})
