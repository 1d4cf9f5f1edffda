/** The documentation as a release carries it: one file, opened from a disk. */
import { deepEqual } from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startBrowser } from './browser.js'
import { leaveOut, run } from './tools.js'

test('the documentation in one file is read without service and network', async (context) => {
  const browser = await startBrowser()
  if (!browser) return leaveOut(context, 'Chromium is not installed')
  const folder = await mkdtemp(join(tmpdir(), 'todo-documentation-'))
  context.after(() => Promise.all([browser.close(), rm(folder, { recursive: true })]))
  const file = join(folder, 'documentation.html')
  await run('npm', ['run', 'docs:file', '--', file])

  const page = await (await browser.newContext({ offline: true })).newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('requestfailed', (request) => complaints.push(request.url()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(`${pathToFileURL(file)}#/todos/createtodo`)
  await page.getByRole('heading', { name: 'Create a todo' }).first().waitFor()
  deepEqual(complaints, [])
})
