/**
 * Runs before the tests, which run side by side: installs Debian's Chromium where there is none and that is possible.
 * Where it is not, the tests say what is missing.
 */
import { findChromium, findProgram, run } from './tools.js'

const permitted = process.getuid?.() === 0 && (await findProgram('apt-get')) !== undefined
if (permitted && (await findChromium()) === undefined)
  await run('.ci/install', ['chromium', 'fonts-dejavu-core'])
