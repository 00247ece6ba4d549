import { fileURLToPath } from 'node:url'
import { startWithTemplate } from './postgres-template.ts'

/** For a run of many test files (`node --test --test-global-setup=…`), what costs each of them seconds if it does so alone. A
 *  file that is run by itself does. */
let server: Awaited<ReturnType<typeof startWithTemplate>> | undefined

/** What Node made of our modules, as `posthorn dev` keeps it. */
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/posthorn', import.meta.url))

export async function globalSetup(): Promise<void> {
  process.env['NODE_COMPILE_CACHE'] ??= COMPILED
  // One server; each test has a database of its own there all the same.
  server = await startWithTemplate()
  process.env['POSTHORN_TEST_POSTGRES'] = server.folder
}

export async function globalTeardown(): Promise<void> {
  await server?.stop()
}
