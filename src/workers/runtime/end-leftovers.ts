import { mkdir, readdir, readFile, readlink, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Ends the processes that an earlier host left below `folder` when it was killed, and removes what they had there. */
export async function endLeftovers(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) {
    const place = join(folder, name)
    const pid = Number(await readFile(join(place, 'pid'), 'utf8').catch(() => ''))
    if (Number.isSafeInteger(pid) && pid > 1 && (await worksIn(pid, place))) process.kill(pid, 'SIGKILL')
    await rm(place, { recursive: true, force: true })
  }
}

/** A number may have become another program's since. Ours has its folder as its working directory. */
async function worksIn(pid: number, place: string): Promise<boolean> {
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  return directory !== undefined && directory === (await realpath(place))
}
