import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isBuiltin, SourceMap } from 'node:module'
import { basename, dirname, join, matchesGlob, relative, resolve } from 'node:path'
import type * as Esbuild from 'esbuild'
import type { WorkerModule } from '#model/worker.ts'
import type { WorkerProject } from './worker-project.ts'
import type { MODULE_RULES } from './worker-project-fields.ts'

export interface Bundle {
  readonly mainModule: string
  readonly modules: readonly WorkerModule[]
  /** Where a place in the main module came from, for the stacks of errors. Lines and columns from 1 on. */
  origin(line: number, column: number): string | undefined
}

export interface Bundled {
  /** Absolute: whoever watches bundles anew when they change. Empty where nothing could be read. */
  readonly inputs: readonly string[]
  readonly outcome: Bundle | { readonly errors: string }
  /** For a person. */
  readonly warnings: string
}

export interface Bundler extends AsyncDisposable {
  /** Reads everything that changed since the last time. */
  bundle(): Promise<Bundled>
}

const MAIN = 'index.js'

/** Makes modules of a project as wrangler does. esbuild is a program of its own: it is loaded by whoever has a project. */
export async function openBundler(project: WorkerProject): Promise<Bundler> {
  const esbuild = await import('esbuild')
  const { folder, main, build, compatibilityFlags } = project
  const files = new Map<string, WorkerModule>()
  // Made with the first bundle: it is then that esbuild refuses settings, in the same way as code.
  let context: Esbuild.BuildContext<typeof options> | undefined
  const options = {
    absWorkingDir: folder,
    entryPoints: { index: main },
    outdir: folder,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'esnext',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'silent',
    charset: 'utf8',
    // As with wrangler, JavaScript may hold JSX.
    loader: { '.js': 'jsx', '.mjs': 'jsx', '.cjs': 'jsx' },
    define: {
      'process.env.NODE_ENV': '"development"',
      'navigator.userAgent': '"Cloudflare-Workers"',
      ...build.define,
    },
    alias: build.alias,
    minify: build.minify ?? false,
    keepNames: build.keep_names ?? true,
    ...(build.tsconfig !== undefined && { tsconfig: resolve(folder, build.tsconfig) }),
    ...(build.jsx_factory !== undefined && { jsxFactory: build.jsx_factory }),
    ...(build.jsx_fragment !== undefined && { jsxFragment: build.jsx_fragment }),
    plugins: [
      builtIns(compatibilityFlags.includes('nodejs_compat')),
      fileModules(folder, moduleRules(build.rules), files),
    ],
  } satisfies Esbuild.BuildOptions

  async function bundle(): Promise<Bundled> {
    files.clear()
    try {
      context ??= await esbuild.context(options)
      const { outputFiles, metafile, warnings } = await context.rebuild()
      const said = await told(esbuild, warnings, 'warning')
      const inputs = inputsOf(metafile, folder)
      if (!hasDefault(metafile)) return { inputs, warnings: said, outcome: { errors: NO_DEFAULT(main) } }
      const text = (end: string) =>
        outputFiles.find(({ path }) => path.endsWith(end))?.contents ?? new Uint8Array()
      const code: WorkerModule = { name: MAIN, type: 'esm', content: Buffer.from(text('.js')) }
      return {
        inputs: [...inputs, ...files.keys()],
        warnings: said,
        outcome: {
          ...{ mainModule: MAIN, modules: [code, ...distinct([...files.values()])] },
          origin: originsIn(Buffer.from(text('.map')).toString(), folder),
        },
      }
    } catch (error) {
      if (!isBuildFailure(error)) throw error
      const places = error.errors.flatMap(({ location }) =>
        location ? [resolve(folder, location.file)] : [],
      )
      return {
        inputs: [main, ...places],
        outcome: { errors: await told(esbuild, error.errors, 'error') },
        warnings: await told(esbuild, error.warnings, 'warning'),
      }
    }
  }

  return {
    bundle,
    async [Symbol.asyncDispose]() {
      await context?.dispose()
    },
  }
}

const NO_DEFAULT = (main: string) =>
  `${basename(main)} has no default export. A Worker is "export default { async fetch(request, env, ctx) { … } }"; ` +
  'the older service-worker format does not run here.'

function isBuildFailure(error: unknown): error is Esbuild.BuildFailure {
  return error instanceof Error && 'errors' in error && 'warnings' in error
}

async function told(
  esbuild: typeof Esbuild,
  messages: Esbuild.Message[],
  kind: 'error' | 'warning',
): Promise<string> {
  return (await esbuild.formatMessages(messages, { kind, color: false })).join('').trimEnd()
}

function inputsOf(metafile: Esbuild.Metafile | undefined, folder: string): readonly string[] {
  return Object.keys(metafile?.inputs ?? {})
    .filter((input) => !/^[\w-]+:/.test(input))
    .map((input) => resolve(folder, input))
}

function hasDefault(metafile: Esbuild.Metafile | undefined): boolean {
  return Object.values(metafile?.outputs ?? {}).some(({ exports }) => exports.includes('default'))
}

/** Modules of the runtime stay imports. A package that calls `require()` for one of Node's cannot: what it gets is a
 *  module that imports it. */
function builtIns(hasNode: boolean): Esbuild.Plugin {
  return {
    name: 'runtime-modules',
    setup(build) {
      build.onResolve({ filter: /^(cloudflare|workerd):/ }, ({ path }) => ({ path, external: true }))
      build.onResolve(
        { filter: /^[a-z0-9_]+(\/[a-z0-9_]+)*$|^node:/ },
        async ({ path, kind, pluginData, ...from }) => {
          if (!isBuiltin(path) || pluginData === RESOLVING) return undefined
          if (!hasNode && !path.startsWith('node:')) {
            // A package may have the name of one of Node's modules, and stand for it.
            const options = {
              kind,
              resolveDir: from.resolveDir,
              importer: from.importer,
              pluginData: RESOLVING,
            }
            const found = await build.resolve(path, options)
            if (found.errors.length === 0 && !found.external) return found
          }
          const name = path.startsWith('node:') ? path : `node:${path}`
          if (kind === 'require-call' || kind === 'require-resolve')
            return { path: name, namespace: REQUIRED }
          return { path: name, external: true }
        },
      )
      build.onLoad({ filter: /.*/, namespace: REQUIRED }, ({ path }) => ({
        contents: `import found from ${JSON.stringify(path)}\nmodule.exports = found`,
        loader: 'js',
      }))
    },
  }
}

const REQUIRED = 'required-of-node'
const RESOLVING = 'resolving'

interface ModuleRule {
  readonly type: WorkerModule['type']
  readonly globs: readonly string[]
}

const MODULE_TYPES: Partial<Record<(typeof MODULE_RULES)[number], WorkerModule['type']>> = {
  Text: 'text',
  Data: 'data',
  CompiledWasm: 'wasm',
}

/** wrangler's, which stand behind those of the configuration. */
const USUAL_RULES: WorkerProject['build']['rules'] = [
  { type: 'Text', globs: ['**/*.txt', '**/*.html', '**/*.sql'] },
  { type: 'Data', globs: ['**/*.bin'] },
  { type: 'CompiledWasm', globs: ['**/*.wasm', '**/*.wasm?module'] },
]

/** A rule without `fallthrough` ends those of its type behind it. */
function moduleRules(given: WorkerProject['build']['rules']): readonly ModuleRule[] {
  const ended = new Set<string>()
  return [...given, ...USUAL_RULES].flatMap(({ type, globs, fallthrough }) => {
    const kind = MODULE_TYPES[type]
    if (kind === undefined || ended.has(type)) return []
    if (fallthrough !== true) ended.add(type)
    return [{ type: kind, globs }]
  })
}

/** Files that are no code are modules of their own. */
function fileModules(
  folder: string,
  rules: readonly ModuleRule[],
  files: Map<string, WorkerModule>,
): Esbuild.Plugin {
  return {
    name: 'file-modules',
    setup(build) {
      build.onResolve({ filter: /\.\w+(\?module)?$/ }, async ({ path, kind, pluginData, ...from }) => {
        if (kind === 'entry-point' || pluginData === RESOLVING) return undefined
        const plain = path.replace(/\?module$/, '')
        const rule = rules.find(({ globs }) => globs.some((glob) => matches(path, glob)))
        if (!rule) return undefined
        const options = { kind, resolveDir: from.resolveDir, importer: from.importer, pluginData: RESOLVING }
        const found = await build.resolve(plain, options)
        if (found.errors.length > 0) return found
        const module = await readModule(found.path, rule.type)
        files.set(found.path, module)
        return { path: `./${module.name}`, external: true, watchFiles: [found.path] }
      })
    },
  }

  function matches(path: string, glob: string): boolean {
    const whole = path.startsWith('.') ? relative(folder, resolve(folder, path)) : path
    return matchesGlob(whole.replace(/^(\.\.\/)+/, ''), glob)
  }
}

/** Its name is of its content: two files of one name are two modules. */
async function readModule(path: string, type: WorkerModule['type']): Promise<WorkerModule> {
  const content = await readFile(path)
  const hash = createHash('sha1').update(content).digest('hex')
  return { name: `${hash}-${basename(path)}`, type, content }
}

function distinct(modules: readonly WorkerModule[]): readonly WorkerModule[] {
  return [...new Map(modules.map((module) => [module.name, module])).values()]
}

function originsIn(map: string, folder: string): Bundle['origin'] {
  let read: SourceMap | undefined
  return (line, column) => {
    read ??= new SourceMap(JSON.parse(map))
    const found = read.findEntry(line - 1, column - 1)
    if (!('originalSource' in found)) return undefined
    const source = relative(folder, resolve(folder, dirname(MAIN), found.originalSource))
    return `${join(source)}:${found.originalLine + 1}:${found.originalColumn + 1}`
  }
}
