import { mkdir, readdir, readFile, readlink, realpath, rm } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'

/** Ends the processes that an earlier host left below `folder` when it was killed, and removes what they had there. */
export async function endLeftovers(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) {
    const place = join(folder, name)
    const pid = Number(await readFile(join(place, 'pid'), 'utf8').catch(() => ''))
    if (Number.isSafeInteger(pid) && pid > 1 && (await worksIn(pid, place))) end(pid)
  }
  // A host that was killed while it started one may not have written its number down.
  for (const pid of await workerdsBelow(folder)) end(pid)
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true })
}

/** The kernel adds that to the name of a program that was replaced. */
const WORKERD = /^workerd( \(deleted\))?$/

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** A number may have become another program's since. Ours has its folder as its working directory. */
async function worksIn(pid: number, place: string): Promise<boolean> {
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  return directory !== undefined && directory === (await realpath(place))
}

async function workerdsBelow(folder: string): Promise<readonly number[]> {
  const start = (await realpath(folder)) + sep
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)
  const ours = await Promise.all(
    pids.map(async (pid) => {
      const [directory, program] = await Promise.all(
        ['cwd', 'exe'].map((link) => readlink(`/proc/${pid}/${link}`).catch(() => '')),
      )
      return directory?.startsWith(start) && program !== undefined && WORKERD.test(basename(program))
    }),
  )
  return pids.filter((_, index) => ours[index])
}
