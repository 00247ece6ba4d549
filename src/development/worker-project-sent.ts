import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutgoingMessage } from '#workers/runtime/host-services.ts'
import { record } from '#workers/runtime/worker-trace.ts'

/** What each file is, and where. */
export type SentFiles = readonly (readonly [what: string, path: string])[]

/** Of the newest messages; the inbox has them all. */
const FILES_KEPT = 200

/** Keeps what a Worker sent in files to look at, as it gave it. */
export async function keepSent(
  directory: string,
  messageId: string,
  message: OutgoingMessage,
): Promise<SentFiles> {
  const folder = join(directory, 'sent')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // A Message-ID of ours is of letters, digits and few others.
  const name = messageId.replaceAll(/[<>]/g, '').replaceAll(/[^\w.@-]/g, '_')
  const files: [string, string][] = []
  const keep = async (what: string, end: string, content: string | Buffer) => {
    const path = join(folder, `${name}.${end}`)
    await writeFile(path, content, { mode: 0o600 })
    files.push([what, path])
  }
  if (message.kind === 'raw') await keep('Email', 'eml', message.raw)
  else {
    const { text, html } = record(message.fields) ?? {}
    if (typeof text === 'string' && text !== '') await keep('Text', 'txt', text)
    if (typeof html === 'string' && html !== '') await keep('HTML', 'html', html)
  }
  await tidy(folder)
  return files
}

/** Message-IDs begin with their time: the oldest files are the first by name. */
async function tidy(folder: string): Promise<void> {
  const names = (await readdir(folder)).sort()
  for (const name of names.slice(0, -FILES_KEPT)) await rm(join(folder, name), { force: true })
}
