import { hash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { LRUCache } from 'lru-cache'

/** A file of the built dashboard as it is sent. */
export interface DashboardFile {
  readonly content: Buffer
  readonly type: string
  readonly etag: string
  readonly encoding: 'br' | 'gzip' | undefined
  /** Its name has a hash of its content in it, so it never changes. */
  readonly isImmutable: boolean
}

/** The files of the built dashboard. In: the path of a URL. Out: the file, compressed as the browser takes it.
 *  Promise: nothing outside the folder; a new build is served as soon as it is there. */
export interface DashboardFiles {
  find(path: string, acceptEncoding: string): Promise<DashboardFile | undefined>
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
}
const COMPRESSIBLE = /^text\/|json|svg|javascript/
/** Less is not worth it. */
const SMALL = 1024
const MOST_KEPT_OCTETS = 64 * 1_048_576
const NAME = /^(?:[\w-][\w.-]*\/)*[\w-][\w.-]*$/
/** Vite's: `index-BxK29a_f.js`. */
const HASHED = /^assets\/.*-[\w-]{8}\.\w+$/

export function openDashboardFiles(folder: string): DashboardFiles {
  const kept = new LRUCache<string, DashboardFile>({
    maxSize: MOST_KEPT_OCTETS,
    sizeCalculation: ({ content }) => content.length + 1,
  })

  return {
    async find(path, acceptEncoding) {
      const name = path.replace(/^\//, '')
      const type = TYPES[extname(name)]
      if (!NAME.test(name) || type === undefined) return undefined
      const file = join(folder, name)
      const found = await stat(file).catch(() => undefined)
      if (!found?.isFile()) return undefined
      const encoding =
        COMPRESSIBLE.test(type) && found.size >= SMALL ? encodingFor(acceptEncoding) : undefined
      const key = `${name} ${found.mtimeMs} ${found.size} ${encoding ?? ''}`
      const before = kept.get(key)
      if (before) return before
      const content = await readFile(file).catch(() => undefined)
      // A new build has taken its place this moment.
      if (!content) return undefined
      const made: DashboardFile = {
        content: await encoded(content, encoding),
        ...{ type, encoding, isImmutable: HASHED.test(name) },
        etag: `"${hash('sha256', content, 'hex').slice(0, 32)}${encoding === undefined ? '' : `-${encoding}`}"`,
      }
      kept.set(key, made)
      return made
    },
  }
}

const deflate = { br: promisify(brotliCompress), gzip: promisify(gzip) } as const

/** Once for each file and build, so a moment longer than for each request. */
async function encoded(content: Buffer, encoding: DashboardFile['encoding']): Promise<Buffer> {
  if (encoding === undefined) return content
  if (encoding === 'gzip') return deflate.gzip(content, { level: 9 })
  return deflate.br(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 9,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  })
}

/** RFC 9110 §12.5.3, as far as browsers use it: a coding with the weight 0 is one that is not taken. */
function encodingFor(accept: string): DashboardFile['encoding'] {
  const taken = new Map(
    accept
      .toLowerCase()
      .split(',')
      .map((entry) => {
        const [coding = '', weight = ''] = entry.split(';').map((part) => part.trim())
        return [coding, !/^q=0(?:\.0*)?$/.test(weight)]
      }),
  )
  return taken.get('br') ? 'br' : taken.get('gzip') ? 'gzip' : undefined
}
