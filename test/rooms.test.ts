import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

/** The rooms of the house and what each may import besides `model`, packages and Node itself (docs/flow.md tells the
 *  story that they make). A room that does not exist yet is not here: it comes with its first file. */
const ROOMS: Record<string, readonly string[]> = {
  model: [],
  contract: [],
  config: [],
  observe: [],
  protocol: [],
  store: ['observe'],
  bodies: ['store'],
  vault: ['store'],
  net: ['observe'],
  smtp: ['protocol', 'net', 'observe'],
  events: ['store'],
  analytics: ['store', 'observe', 'events'],
  'registry/accounts': ['store', 'vault'],
  'registry/domains': ['store', 'vault', 'net', 'protocol'],
  'registry/routes': ['store'],
  'registry/suppressions': ['store', 'protocol'],
  'registry/quota': ['store', 'events'],
  'registry/reputation': ['store', 'events'],
  'registry/workers': ['store', 'vault'],
  'workers/storage': ['store'],
  'workers/crons': ['store', 'observe', 'registry/workers'],
  'workers/runtime': [
    ...['protocol', 'store', 'vault', 'net', 'observe', 'bodies', 'registry/workers', 'workers/storage'],
  ],
  'workers/tails': ['workers/runtime'],
  'workers/binding': [...['protocol', 'observe', 'registry/accounts', 'outbound/accept', 'workers/runtime']],
  notify: ['store', 'vault', 'net', 'workers/storage'],
  'outbound/compose': ['protocol', 'registry/domains'],
  'outbound/queue': ['store', 'bodies', 'observe'],
  // `store` for ids and writes, `bodies` for the header that it quotes and its own content, `registry/domains` for the
  // service's key and whose a domain is, `observe` for what it leaves out.
  'outbound/notices': [
    ...['protocol', 'events', 'bodies', 'store', 'observe', 'registry/domains'],
    ...['outbound/compose', 'outbound/queue'],
  ],
  'outbound/accept': [
    'protocol',
    'events',
    'bodies',
    'store',
    'registry/*',
    'outbound/compose',
    'outbound/queue',
  ],
  'outbound/outcome': [
    'protocol',
    'events',
    'bodies',
    'store',
    'observe',
    'registry/suppressions',
    'outbound/queue',
    'outbound/notices',
  ],
  'outbound/deliver': [
    ...['smtp', 'net', 'protocol', 'observe', 'store', 'bodies', 'registry/domains'],
    ...['outbound/queue', 'outbound/outcome'],
  ],
  'inbound/authenticate': ['protocol', 'net'],
  'inbound/feedback': [
    ...['protocol', 'events', 'store', 'bodies', 'observe', 'registry/*', 'inbound/authenticate'],
    ...['outbound/queue', 'outbound/outcome', 'outbound/notices'],
  ],
  'inbound/route': ['registry/routes', 'registry/domains'],
  'inbound/act': [
    ...['protocol', 'events', 'store', 'bodies', 'observe', 'registry/*'],
    ...['inbound/authenticate', 'inbound/route', 'outbound/*', 'workers/runtime', 'workers/binding'],
  ],
  simulator: ['smtp', 'protocol'],
  sandbox: ['smtp', 'protocol', 'store', 'bodies', 'simulator'],
  development: ['contract', 'store', 'net', 'protocol', 'registry/*', 'workers/runtime', 'workers/storage'],
  'ingress/http-api': [
    ...[
      'contract',
      'net',
      'protocol',
      'observe',
      'store',
      'registry/*',
      'analytics',
      'notify',
      'workers/storage',
      'workers/tails',
      'outbound/accept',
      'outbound/queue',
      'outbound/outcome',
      'outbound/notices',
    ],
  ],
  'ingress/smtp-submission': [
    ...['smtp', 'net', 'protocol', 'observe', 'registry/accounts', 'registry/domains', 'outbound/accept'],
  ],
  'ingress/smtp-mx': ['smtp', 'protocol', 'net', 'observe', 'events', 'bodies', 'inbound/*'],
  'ingress/dns': ['protocol', 'net', 'observe', 'registry/domains'],
  'ingress/https-policy': ['net', 'observe'],
  'ingress/workers': [
    ...['net', 'observe', 'protocol', 'registry/workers', 'workers/runtime', 'workers/binding'],
    // For the messages that a developer brings by hand: the rules of `forward()` and `reply()`, and what replies look like.
    ...['inbound/act', 'outbound/accept', 'outbound/compose'],
  ],
}

const src = join(import.meta.dirname, '../src')
const files = globSync('**/*.ts', { cwd: src })

function roomOf(path: string): string | undefined {
  return Object.keys(ROOMS).find((room) => path.startsWith(`${room}/`))
}

function importsOf(path: string): string[] {
  const source = readFileSync(join(src, path), 'utf8')
  const specifiers = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([#.][^']*)'/g)
  return [...specifiers].map(([, specifier = '']) =>
    specifier.startsWith('#') ? specifier.slice(1) : relative(src, join(src, dirname(path), specifier)),
  )
}

/** What puts the rooms together: it imports everything, and nothing imports it. */
function isMain(path: string): boolean {
  return path === 'main.ts' || path.startsWith('main/')
}

test('every file stands in a room, apart from main', () => {
  assert.deepEqual(
    files.filter((path) => !isMain(path) && roomOf(path) === undefined),
    [],
  )
})

test('every room that the table names exists', () => {
  assert.deepEqual(
    Object.keys(ROOMS).filter((room) => !files.some((path) => path.startsWith(`${room}/`))),
    [],
  )
})

test('no import passes a wall', () => {
  const trespassers = files
    // A test puts real parts together, wherever they are.
    .filter((path) => !isMain(path) && !path.endsWith('.test.ts'))
    .flatMap((path) => {
      const room = roomOf(path) ?? ''
      const allowed = [room, 'model', ...(ROOMS[room] ?? [])]
      return importsOf(path)
        .filter(
          (target) => !allowed.some((wall) => target.startsWith(wall.replace('*', ''))) || isMain(target),
        )
        .map((target) => `${path} imports ${target}`)
    })
  assert.deepEqual(trespassers, [])
})

test('no room leads back to itself through others', () => {
  const leads = new Map<string, Set<string>>()
  for (const path of files.filter((path) => !path.endsWith('.test.ts'))) {
    const room = roomOf(path)
    if (room === undefined) continue
    const targets = leads.get(room) ?? new Set()
    for (const target of importsOf(path)) targets.add(roomOf(target) ?? target)
    targets.delete(room)
    leads.set(room, targets)
  }
  const visit = (room: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(room)) return [...way.slice(way.indexOf(room)), room]
    for (const next of leads.get(room) ?? []) {
      const circle = visit(next, [...way, room])
      if (circle) return circle
    }
    return undefined
  }
  assert.deepEqual([...leads.keys()].map((room) => visit(room, [])).find(Boolean), undefined)
})
