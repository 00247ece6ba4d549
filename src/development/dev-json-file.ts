import { chmod, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DevJson } from '#contract/dev-json.ts'

/** `dev.json`: renamed into place once every door is open, removed when they close, so that its presence means ready.
 *  Mode 0600, since it holds a token. */
export async function writeDevJson(directory: string, content: DevJson): Promise<void> {
  const path = join(directory, 'dev.json')
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(draft, 0o600)
  await rename(draft, path)
}

export async function removeDevJson(directory: string): Promise<void> {
  await rm(join(directory, 'dev.json'), { force: true })
}
