import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { stop } from 'esbuild'
import { readProject } from './worker-project.ts'
import { type Bundled, openBundler } from './worker-project-bundle.ts'

after(() => stop())

/** What becomes of a project with these files. */
async function bundle(
  files: Readonly<Record<string, string | Buffer>>,
  config: object = {},
): Promise<Bundled & { readonly text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-bundle-'))
  try {
    const whole = { name: 'a', compatibility_date: '2026-06-30', ...config }
    for (const [name, content] of Object.entries({ 'wrangler.json': JSON.stringify(whole), ...files })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), content)
    }
    const project = await readProject(folder)
    assert.ok(!('faults' in project), JSON.stringify(project))
    await using bundler = await openBundler(project)
    const bundled = await bundler.bundle()
    const code = 'errors' in bundled.outcome ? undefined : bundled.outcome.modules[0]
    return { ...bundled, text: code?.content.toString() ?? '' }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const NODE = { compatibility_flags: ['nodejs_compat'] }

test('TypeScript and packages become one module; modules of the runtime stay imports', async () => {
  const { text, inputs } = await bundle(
    {
      'src/index.ts': `import { EmailMessage } from 'cloudflare:email'
import { Buffer } from 'node:buffer'
import { join } from 'path'
import { named } from 'pkg'
import cjs from 'cjs'
const answer: number = named
export default { fetch: () => new Response([answer, cjs(), EmailMessage, Buffer, join] as any) }`,
      'node_modules/pkg/package.json': JSON.stringify({
        name: 'pkg',
        exports: { workerd: './workerd.js', node: './node.js', default: './default.js' },
      }),
      'node_modules/pkg/workerd.js': 'export const named = "for workerd"',
      'node_modules/pkg/node.js': 'export const named = "for node"',
      'node_modules/pkg/default.js': 'export const named = "for anything"',
      'node_modules/cjs/package.json': JSON.stringify({ name: 'cjs', main: 'index.js' }),
      'node_modules/cjs/index.js':
        'const { EventEmitter } = require("events"); module.exports = () => EventEmitter',
    },
    NODE,
  )
  assert.match(text, /from "cloudflare:email"/)
  assert.match(text, /from "node:buffer"/)
  assert.match(text, /from "node:path"/)
  assert.match(text, /from "node:events"/)
  assert.match(text, /for workerd/)
  assert.doesNotMatch(text, /Dynamic require.*events|__require\("events"\)/)
  assert.ok(inputs.some((path) => path.endsWith('/src/index.ts')))
})

test('a package that has the name of a module of Node stands for it where there is no Node', async () => {
  const files = {
    'index.js': 'import { made } from "events"\nexport default { made }',
    'node_modules/events/package.json': JSON.stringify({ name: 'events', main: 'index.js' }),
    'node_modules/events/index.js': 'export const made = "by a package"',
  }
  assert.match((await bundle(files)).text, /by a package/)
  assert.match((await bundle(files, NODE)).text, /from "node:events"/)
})

test('files that are no code are modules of their own', async () => {
  const { outcome, text, inputs } = await bundle({
    'src/index.js': `import note from './note.txt'
import page from './page.html'
import query from '../query.sql'
import data from './data.bin'
import wasm from './add.wasm'
import wasmModule from './add.wasm?module'
export default { note, page, query, data, wasm, wasmModule }`,
    'src/note.txt': 'a note',
    'src/page.html': '<p>',
    'query.sql': 'select 1',
    'src/data.bin': Buffer.from([0, 255]),
    'src/add.wasm': Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]),
  })
  assert.ok(!('errors' in outcome))
  const [, ...others] = outcome.modules
  assert.deepEqual(others.map(({ name, type }) => `${name.slice(41)} ${type}`).sort(), [
    'add.wasm wasm',
    'data.bin data',
    'note.txt text',
    'page.html text',
    'query.sql text',
  ])
  for (const { name } of others) assert.ok(text.includes(`"./${name}"`), name)
  assert.ok(inputs.some((path) => path.endsWith('/src/note.txt')))
})

test('rules of the configuration come before the usual ones', async () => {
  const files = {
    'index.js': `import a from './a.eml'\nimport b from './b.html'\nexport default { a, b }`,
    ...{ 'a.eml': 'mail', 'b.html': '<p>' },
  }
  const rule = { type: 'Text', globs: ['**/*.eml'] }
  const both = await bundle(files, { rules: [{ ...rule, fallthrough: true }] })
  assert.ok(!('errors' in both.outcome))
  assert.equal(both.outcome.modules.length, 3)
  const one = await bundle(files, { rules: [rule] })
  assert.ok('errors' in one.outcome)
  assert.match(one.outcome.errors, /No loader is configured/)
})

test('what is wrong in the code is told with its place', async () => {
  const { outcome, inputs } = await bundle({ 'src/index.ts': 'export default {\n  fetch( { }\n}' })
  assert.ok('errors' in outcome)
  assert.match(outcome.errors, /src\/index\.ts:\d+:\d+/)
  assert.ok(inputs.some((path) => path.endsWith('/src/index.ts')))
})

test('a module that is not there is named', async () => {
  const { outcome } = await bundle({ 'src/index.ts': 'import "./absent"\nexport default {}' })
  assert.ok('errors' in outcome)
  assert.match(outcome.errors, /Could not resolve "\.\/absent"/)
})

test('settings that esbuild refuses are told in its words', async () => {
  const { outcome } = await bundle({ 'index.js': 'export default {}' }, { define: { 'a-b': 'c d' } })
  assert.ok('errors' in outcome)
  assert.match(outcome.errors, /a-b/)
})

test('the format before modules is refused in words', async () => {
  const { outcome } = await bundle({ 'index.js': 'addEventListener("fetch", () => {})' })
  assert.ok('errors' in outcome)
  assert.match(outcome.errors, /^index\.js has no default export/)
})

test('a place in the bundle is known by its source', async () => {
  const { outcome, text } = await bundle({
    'src/index.ts': 'import { fail } from "./fail"\nexport default { fetch: () => fail() }',
    'src/fail.ts': 'interface None {}\nexport function fail(): None {\n  throw new Error("here")\n}',
  })
  assert.ok(!('errors' in outcome))
  const line = text.split('\n').findIndex((each) => each.includes('new Error'))
  const column = text.split('\n')[line]?.indexOf('new Error') ?? 0
  assert.match(outcome.origin(line + 1, column + 1) ?? '', /^src\/fail\.ts:3:/)
})
