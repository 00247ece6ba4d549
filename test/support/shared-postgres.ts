import { startWithTemplate } from './postgres-template.ts'

/** For a run of many test files (`node --test --test-global-setup=…`): one PostgreSQL server for all of them, since to make
 *  one costs some seconds of each. Each test has a database of its own there all the same. A file that is run by itself
 *  starts its own. */
let server: Awaited<ReturnType<typeof startWithTemplate>> | undefined

export async function globalSetup(): Promise<void> {
  server = await startWithTemplate()
  process.env['POSTHORN_TEST_POSTGRES'] = server.folder
}

export async function globalTeardown(): Promise<void> {
  await server?.stop()
}
