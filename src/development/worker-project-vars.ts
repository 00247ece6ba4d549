import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { WorkerBinding } from '#model/worker.ts'
import type { ProjectFields } from './worker-project-fields.ts'

/** Where local secrets are; as with wrangler, the second kind is read where there is none of the first. */
const SECRET_FILES = [['.dev.vars'], ['.env', '.env.local']]

/** Variables of the configuration, and above them the secrets that only this machine has. `files`: what was looked for,
 *  whether it is there or not. */
export async function readProjectVars(
  folder: string,
  { vars, secrets: declared, kv_namespaces: kv, ...fields }: ProjectFields,
): Promise<{
  readonly bindings: readonly WorkerBinding[]
  readonly files: readonly string[]
  readonly remarks: readonly string[]
}> {
  const read = await readSecrets(folder)
  const taken = new Set([
    ...[...fields.send_email.map(({ name }) => name), ...kv.map(({ binding }) => binding)],
    ...[...fields.queues.producers, ...fields.services].map(({ binding }) => binding),
    ...fields.analytics_engine_datasets.map(({ binding }) => binding),
  ])
  const secrets = new Map([...read.secrets].filter(([name]) => /^[\w$.-]+$/.test(name) && !taken.has(name)))
  const missing = (declared?.required ?? []).filter((name) => !secrets.has(name))
  return {
    bindings: [
      ...Object.entries(vars)
        .filter(([name]) => !secrets.has(name))
        .map(
          ([name, value]): WorkerBinding =>
            typeof value === 'string'
              ? { name, type: 'plain_text', text: value }
              : { name, type: 'json', json: value },
        ),
      ...[...secrets].map(([name, text]): WorkerBinding => ({ name, type: 'secret_text', text })),
    ],
    files: SECRET_FILES.flat().map((name) => join(folder, name)),
    remarks: [
      ...missing.map((name) => `secrets.required: ${name} is missing; put it into .dev.vars`),
      ...[...read.secrets.keys()]
        .filter((name) => taken.has(name))
        .map((name) => `${name} in ${read.file} is left aside, since a binding has that name`),
    ],
  }
}

async function readSecrets(
  folder: string,
): Promise<{ readonly file: string; readonly secrets: ReadonlyMap<string, string> }> {
  for (const kind of SECRET_FILES) {
    const secrets = new Map<string, string>()
    let found: string | undefined
    for (const name of kind) {
      const content = await readFile(join(folder, name), 'utf8').catch(() => undefined)
      if (content === undefined) continue
      found = name
      for (const [key, value] of Object.entries(parseEnv(content)))
        if (value !== undefined) secrets.set(key, value)
    }
    if (found !== undefined) return { file: found, secrets }
  }
  return { file: '', secrets: new Map() }
}
