import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Wrangler, WranglerOptions } from './wrangler.ts'

const EXAMPLES = join(import.meta.dirname, '../worker-examples')

/** A Worker of the specification's pages, with the configuration that its page gives it. */
export interface ExampleWorker {
  readonly name: string
  /** Below `test/worker-examples`. */
  readonly source: string
  /** What `wrangler.json` says besides the name, the source and the date. */
  readonly config?: object
}

/** Deploys it with the real `wrangler`. Out: the host name that the deploy printed, where
 *  `fetch()` is served. */
export async function deployExample(
  wrangler: Wrangler,
  { name, source, config }: ExampleWorker,
  options?: WranglerOptions,
): Promise<string> {
  const main = join(EXAMPLES, source)
  assert.ok(existsSync(main), source)
  mkdirSync(join(wrangler.folder, name), { recursive: true })
  const file = join(wrangler.folder, name, 'wrangler.json')
  writeFileSync(
    file,
    JSON.stringify({
      ...{ name, main, compatibility_date: '2026-06-30', compatibility_flags: ['nodejs_compat'] },
      ...config,
    }),
  )
  const { status, stdout, stderr } = await wrangler.run(['deploy', '--config', file], options)
  assert.equal(status, 0, `${stdout}${stderr}`)
  const host = stdout.split('\n').find((line) => line.startsWith(`  ${name}.`))
  assert.ok(host !== undefined, `a place of its own in what the deploy printed:\n${stdout}`)
  return host.trim()
}

/** A KV namespace, made by `wrangler` too. Out: its id. */
export async function createNamespace(wrangler: Wrangler, title: string): Promise<string> {
  const { stdout, stderr } = await wrangler.run(['kv', 'namespace', 'create', title])
  const [, id] = /"id": ?"([0-9a-f]{32})"/.exec(stdout) ?? []
  assert.ok(id, `${stdout}${stderr}`)
  return id
}
