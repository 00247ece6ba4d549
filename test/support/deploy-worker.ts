import assert from 'node:assert/strict'
import { checkedFetch } from './checked-fetch.ts'
import type { Served } from './routing-instance.ts'

export interface Deployed {
  readonly tag: string
  readonly versionId: string
}

export interface WorkerUpload {
  /** Of the form's part `metadata`, besides `main_module`. */
  readonly metadata?: object
  /** By their names; `index.js` is the main one. */
  readonly modules?: Readonly<Record<string, string | Blob>>
}

/** What `wrangler` makes of a project. */
export function workerForm({ metadata = {}, modules = {} }: WorkerUpload = {}): FormData {
  const form = new FormData()
  form.set('metadata', JSON.stringify({ main_module: 'index.js', ...metadata }))
  for (const [name, content] of Object.entries({ 'index.js': 'export default {}', ...modules })) {
    const type = 'application/javascript+module'
    form.set(name, typeof content === 'string' ? new Blob([content], { type }) : content, name)
  }
  return form
}

/** Puts a Worker into the instance's account, without the client. */
export async function deployWorker({ dev }: Served, name: string, upload?: WorkerUpload): Promise<Deployed> {
  const response = await checkedFetch(`${dev.api}/accounts/${dev.account_id}/workers/scripts/${name}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${dev.api_token}` },
    body: workerForm(upload),
  })
  const answer = JSON.parse(await response.text())
  assert.equal(response.status, 200, JSON.stringify(answer.errors))
  const { tag, deployment_id: id } = answer.result
  return { tag, versionId: id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') }
}
