import { parentPort } from 'node:worker_threads'
import {
  type MimeView,
  type PartContent,
  readMime,
  readPart,
  readPreview,
  type Unreadable,
} from './read-mime.ts'

/** One piece of work for the thread, which takes over the memory of `raw`. */
export type ReadRequest =
  | { readonly kind: 'view'; readonly raw: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'preview'; readonly raw: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'part'; readonly raw: Uint8Array<ArrayBuffer>; readonly partId: string }

/** `ready` comes once and unasked, when the thread has loaded its parser. `fault` is a bug. */
export type ReadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'view'; readonly view: MimeView | Unreadable }
  | { readonly kind: 'preview'; readonly preview: { readonly page: string } | Unreadable }
  | { readonly kind: 'part'; readonly part: PartContent | Unreadable | undefined }
  | { readonly kind: 'fault'; readonly error: unknown }

async function answer(request: ReadRequest): Promise<ReadAnswer> {
  try {
    if (request.kind === 'view') return { kind: 'view', view: await readMime(request.raw) }
    if (request.kind === 'preview') return { kind: 'preview', preview: await readPreview(request.raw) }
    return { kind: 'part', part: await readPart(request.raw, request.partId) }
  } catch (error) {
    return { kind: 'fault', error }
  }
}

const port = parentPort
port?.on('message', (request: ReadRequest) => {
  void answer(request).then((result) => port.postMessage(result))
})
port?.postMessage({ kind: 'ready' } satisfies ReadAnswer)
