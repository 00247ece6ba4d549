import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkerBinding, WorkerModule, WorkerVersion } from '#model/worker.ts'
import { CLOSED_NETWORKS } from '#net/private-address.ts'
import { runnableDate } from './newest-date.ts'

/** What a process of workerd is started with. */
export interface WorkerdConfig {
  /** Files of its folder, which the configuration embeds. */
  readonly files: ReadonlyMap<string, Buffer>
  /** Secrets: they never touch the disk. */
  readonly environment: Readonly<Record<string, string>>
}

export interface ConfigOptions {
  /** What the JavaScript heap may have. */
  readonly heapMb: number
  /** `queue()` and `scheduled()` want a flag that workerd calls experimental. Without them it refuses a customer's flags
   *  of that kind. */
  readonly experimental: boolean
  /** Host names whose requests come to the host. */
  readonly ownHosts: readonly string[]
}

/** Sockets in the process's folder: those that workerd listens at, and ours. */
export const SOCKETS = { entry: 'entry.sock', fetch: 'fetch.sock', dispatch: 'dispatch.sock' } as const
export const HOST_SOCKET = 'host.sock'
export const CONFIG_FILE = 'config.capnp'

/** Tells the host which of its doors a request is for. workerd sets it, and removes what the Worker sets. */
export const DOOR_HEADER = 'x-posthorn-door'
/** Which binding, by its place in the version. */
export const BINDING_HEADER = 'x-posthorn-binding'

/** Of the young generation. With V8's own a busy process grows by 100 MiB more, and is no faster. */
const SEMI_SPACE_MB = 4

const DATE = '2026-10-01'
const INSIDE = 'posthorn-inside'
/** As no binding of a customer's can be named. */
const OWN_BINDING = 'posthorn:host'
const MAIN = 'posthorn-main.js'
const OWN_MODULES = ['hide-host.js', 'entry.js'] as const
const BESIDE = ['dispatch.js', 'tail.js', 'outbound.js'] as const
const INTERNAL = {
  'cloudflare-internal:email': 'email-message.js',
  'posthorn-internal:encode-message': 'encode-message.js',
  'posthorn-internal:send-email': 'send-email.js',
  'posthorn-internal:analytics-engine': 'analytics-engine.js',
  'posthorn-internal:host-actions': 'host-actions.js',
} as const

/** In workerd's own text form, which it reads itself: modules are embedded from files, so that nothing of a customer's
 *  is in the text but names and values, which are quoted. */
export function workerdConfig(
  version: WorkerVersion,
  { heapMb, experimental, ownHosts }: ConfigOptions,
): WorkerdConfig {
  const files = new Map<string, Buffer>()
  const environment: Record<string, string> = {}
  for (const name of [...OWN_MODULES, ...BESIDE, ...Object.values(INTERNAL)]) files.set(name, inside(name))
  files.set('main.js', Buffer.from(mainModule(version.mainModule)))
  const modules = version.modules.map((module, index) => {
    files.set(`module-${index}`, module.content)
    return `(name = ${quoted(module.name)}, ${MODULE_FIELDS[module.type]} = embed ${quoted(`module-${index}`)})`
  })
  const bindings = version.bindings.map((binding, index) => bindingOf(binding, index, environment))
  const own = OWN_MODULES.map(
    (name) => `(name = ${quoted(`${INSIDE}/${name}`)}, esModule = embed ${quoted(name)})`,
  )
  const worker = [
    `modules = [${[`(name = ${quoted(MAIN)}, esModule = embed "main.js")`, ...own, ...modules].join(', ')}]`,
    `compatibilityDate = ${quoted(runnableDate(version.compatibilityDate))}`,
    `compatibilityFlags = [${version.compatibilityFlags.map(quoted).join(', ')}]`,
    `bindings = [${[`(name = "${OWN_BINDING}", ${wrapped('host-actions', 'invocation')})`, ...bindings].join(', ')}]`,
    'tails = ["tail"]',
    ...(ownHosts.length > 0 ? ['globalOutbound = "outbound"'] : []),
  ]
  const doors = ['invocation', 'trace'].map((door) => external(door, door, ''))
  const services = [
    `(name = "user", worker = (${worker.join(', ')}))`,
    `(name = "dispatch", worker = (${besideOf('dispatch.js')}, compatibilityFlags = [${experimental ? '"service_binding_extra_handlers"' : ''}],
      bindings = [(name = "USER", service = "user")]))`,
    `(name = "tail", worker = (${besideOf('tail.js')}, bindings = [(name = "HOST", service = "trace")]))`,
    ...doors,
    ...(ownHosts.length > 0 ? outboundOf(ownHosts, experimental) : []),
    ...version.bindings.flatMap((binding, index) => {
      const door = DOORS[binding.type]
      return door === undefined ? [] : [external(`binding-${index}`, door, String(index))]
    }),
    `(name = "internet", network = (allow = ["public"], deny = [${CLOSED_NETWORKS.map(quoted).join(', ')}],
      tlsOptions = (trustBrowserCas = true)))`,
  ]
  const internal = Object.entries(INTERNAL).map(
    ([name, file]) => `(name = ${quoted(name)}, internal = true, esModule = embed ${quoted(file)})`,
  )
  const text = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services.join(',\n    ')}],
  sockets = [
    (name = "entry", address = "unix:${SOCKETS.entry}", http = (style = proxy, cfBlobHeader = "x-posthorn-cf"),
      service = (name = "user", entrypoint = "PosthornEntry")),
    (name = "fetch", address = "unix:${SOCKETS.fetch}", http = (style = proxy, cfBlobHeader = "x-posthorn-cf"),
      service = "user"),
    (name = "dispatch", address = "unix:${SOCKETS.dispatch}", http = (), service = "dispatch")
  ],
  v8Flags = ["--max-old-space-size=${heapMb}", "--max-semi-space-size=${SEMI_SPACE_MB}"],
  extensions = [(modules = [${internal.join(', ')}])]
);
`
  files.set(CONFIG_FILE, Buffer.from(text))
  return { files, environment }
}

const MODULE_FIELDS: Record<WorkerModule['type'], string> = {
  esm: 'esModule',
  commonjs: 'commonJsModule',
  text: 'text',
  data: 'data',
  json: 'json',
  wasm: 'wasm',
}

/** The host's door that a binding leads to. */
const DOORS: Partial<Record<WorkerBinding['type'], string>> = {
  kv_namespace: 'kv',
  queue: 'queue',
  analytics_engine: 'data-point',
  send_email: 'send',
  service: 'service',
}

function bindingOf(binding: WorkerBinding, index: number, environment: Record<string, string>): string {
  const value = (): string => {
    const service = `binding-${index}`
    switch (binding.type) {
      case 'plain_text':
        return `text = ${quoted(binding.text)}`
      case 'secret_text':
        environment[`SECRET_${index}`] = binding.text
        return `fromEnvironment = "SECRET_${index}"`
      case 'json':
        return `json = ${quoted(JSON.stringify(binding.json))}`
      case 'kv_namespace':
        return `kvNamespace = "${service}"`
      case 'queue':
        return `queue = "${service}"`
      case 'analytics_engine':
        return wrapped('analytics-engine', service)
      case 'send_email':
        return wrapped('send-email', service)
      case 'service':
        return `service = "${service}"`
    }
  }
  return `(name = ${quoted(binding.name)}, ${value()})`
}

function wrapped(module: string, service: string): string {
  return `wrapped = (moduleName = "posthorn-internal:${module}", innerBindings = [(name = "HOST", service = "${service}")])`
}

function external(name: string, door: string, binding: string): string {
  return `(name = "${name}", external = (address = "unix:${HOST_SOCKET}", http = (style = proxy, injectRequestHeaders = [
      (name = "${DOOR_HEADER}", value = "${door}"), (name = "${BINDING_HEADER}", value = "${binding}")])))`
}

function besideOf(file: (typeof BESIDE)[number]): string {
  return `modules = [(name = "${file}", esModule = embed "${file}")], compatibilityDate = "${DATE}"`
}

/** `connect()` goes past it: that wants a flag which is experimental. */
function outboundOf(names: readonly string[], experimental: boolean): readonly string[] {
  const worker = [
    besideOf('outbound.js'),
    `compatibilityFlags = [${experimental ? '"connect_pass_through"' : ''}]`,
    `bindings = [(name = "HOST", service = "own-host"), (name = "OWN_NAMES", json = ${quoted(JSON.stringify(names))})]`,
  ]
  return [`(name = "outbound", worker = (${worker.join(', ')}))`, external('own-host', 'own-host', '')]
}

/** Everything of the customer's main module as it is, and one entrypoint more. */
function mainModule(name: string): string {
  const user = JSON.stringify(`./${name.replace(/^\.\//, '')}`)
  return `import { hostActions } from './${INSIDE}/hide-host.js'
import { entryOf } from './${INSIDE}/entry.js'
import * as user from ${user}
export * from ${user}
export default user.default
export const PosthornEntry = entryOf(user, hostActions)
`
}

function inside(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, 'inside', name))
}

/** A text of Cap'n Proto: whatever is not plain goes in as the octets of its UTF-8. */
function quoted(text: string): string {
  const octets = [...Buffer.from(text)].map((octet) =>
    octet >= 0x20 && octet < 0x7f && octet !== 0x22 && octet !== 0x5c
      ? String.fromCharCode(octet)
      : `\\x${octet.toString(16).padStart(2, '0')}`,
  )
  return `"${octets.join('')}"`
}
