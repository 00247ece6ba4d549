import { type Dirent, type FSWatcher, watch } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'

export interface ProjectWatch extends Disposable {
  /** What is watched from now on. `everything`: any change below the folder counts, since nobody knows which file would
   *  put right what is wrong. */
  look(wish: { readonly files: readonly string[]; readonly everything: boolean }): Promise<void>
}

export interface ProjectWatchOptions {
  /** The project's own. */
  readonly folder: string
  readonly onChange: () => void
  /** A folder that cannot be watched, in a sentence. */
  readonly onProblem: (sentence: string) => void
}

/** Editors write a file in several steps. */
const SETTLE_MS = 50
/** Something that writes without end is no reason to wait without end. */
const LONGEST_SETTLE_MS = 500
const MOST_FOLDERS = 500

/** Watches folders, not files: many editors put a new file in the place of the old one. */
export function openProjectWatch({ folder, onChange, onProblem }: ProjectWatchOptions): ProjectWatch {
  const watched = new Map<string, FSWatcher>()
  let files: ReadonlySet<string> = new Set()
  let everything = false
  let pending: NodeJS.Timeout | undefined
  let since = 0

  function changed(path: string | undefined): void {
    if (path !== undefined && !everything && !files.has(path)) return
    const now = performance.now()
    if (pending === undefined) since = now
    clearTimeout(pending)
    pending = setTimeout(
      () => {
        pending = undefined
        onChange()
      },
      Math.max(0, Math.min(SETTLE_MS, since + LONGEST_SETTLE_MS - now)),
    )
  }

  function begin(directory: string): void {
    try {
      const watcher = watch(directory, (_event, name) =>
        changed(name === null ? undefined : join(directory, name)),
      )
      // A folder that goes takes its watcher with it.
      watcher.on('error', () => end(directory))
      watched.set(directory, watcher)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      if (code !== 'ENOENT')
        onProblem(`${directory} cannot be watched (${code}): its changes count at the next start`)
    }
  }

  function end(directory: string): void {
    watched.get(directory)?.close()
    watched.delete(directory)
  }

  return {
    async look(wish) {
      files = new Set(wish.files)
      everything = wish.everything
      const wanted = new Set(wish.files.filter((path) => !isInstalled(path)).map((path) => dirname(path)))
      if (everything) for (const directory of await foldersBelow(folder)) wanted.add(directory)
      for (const directory of watched.keys()) if (!wanted.has(directory)) end(directory)
      for (const directory of wanted) if (!watched.has(directory)) begin(directory)
    },

    [Symbol.dispose]() {
      clearTimeout(pending)
      for (const directory of watched.keys()) end(directory)
    },
  }
}

/** Packages change when somebody installs them. */
function isInstalled(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`)
}

async function foldersBelow(folder: string): Promise<readonly string[]> {
  const found = [folder]
  for (let next = 0; next < found.length && found.length < MOST_FOLDERS; next++) {
    const directory = found[next] ?? folder
    const entries = await readdir(directory, { withFileTypes: true }).catch((): Dirent[] => [])
    for (const { name } of entries.filter((entry) => entry.isDirectory()))
      if (name !== 'node_modules' && !name.startsWith('.')) found.push(join(directory, name))
  }
  return found.slice(0, MOST_FOLDERS)
}
