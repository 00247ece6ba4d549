import type { WorkerBinding } from '#model/worker.ts'
import type { Kv } from '#workers/storage/kv.ts'
import type { Queues } from '#workers/storage/queues.ts'

/** Whose code asks. */
export interface WorkerPlace {
  readonly accountId: string
  readonly scriptName: string
}

/** What a Worker's call is refused with: `code` and `message` of the error that is thrown in it. */
export interface HostError {
  readonly code: string
  readonly message: string
}

/** What `send()` and `reply()` were given. */
export type OutgoingMessage =
  /** An `EmailMessage`. `from` and `to` are what the Worker said: anything that JSON can say. */
  | { readonly kind: 'raw'; readonly from: unknown; readonly to: unknown; readonly raw: Buffer }
  /** The builder's fields as JSON, nothing of them checked; binary content of attachments is base64 text. */
  | { readonly kind: 'builder'; readonly fields: unknown }

/** Message-ID of what was made, angle brackets included. */
export interface MadeMessage {
  readonly messageId: string
}

/** What the host does for one message that a Worker has in its hands, and for none after its handler is over. Rules
 *  about it (verified destinations, the five of `reply()`) are the host's. None may reject. */
export interface EmailHost {
  /** `headers`: those of the Worker that begin with `X-`, in lower case; their values have no control characters. */
  forward(
    rcptTo: string,
    headers: readonly (readonly [name: string, value: string])[],
  ): Promise<MadeMessage | HostError>
  reply(message: OutgoingMessage): Promise<MadeMessage | HostError>
}

export type SendEmailBinding = Extract<WorkerBinding, { readonly type: 'send_email' }>

/** What bindings lead to. */
export interface HostServices {
  /** The binding's restrictions are the host's to keep. */
  sendEmail(
    worker: WorkerPlace,
    binding: SendEmailBinding,
    message: OutgoingMessage,
  ): Promise<MadeMessage | HostError>
  readonly kv: Pick<Kv, 'put' | 'find' | 'stream' | 'getAll' | 'list' | 'delete'>
  readonly queues: Pick<Queues, 'queueNamed' | 'send' | 'backlog'>
  /** `point` is what the Worker said: anything that JSON can say. */
  writeDataPoint(worker: WorkerPlace, dataset: string, point: unknown): Promise<void>
  /** `fetch()` of a service binding; what the Worker of that name answers. */
  fetchWorker(
    target: WorkerPlace & { readonly entrypoint?: string },
    request: WorkerRequest,
  ): Promise<FetchOutcome>
  /** Where names of the service itself lead nowhere in public DNS, `fetch()` of them comes here. */
  readonly ownHosts?: {
    readonly names: readonly string[]
    fetch(request: WorkerRequest): Promise<FetchOutcome>
  }
}

export interface WorkerRequest {
  readonly method: string
  /** Absolute, as the Worker is to see it. */
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: AsyncIterable<Uint8Array>
  /** For a client that went away. */
  readonly signal?: AbortSignal
}

export interface WorkerResponse {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** To be read or to be ended: `for await` and `.return()` do either. */
  readonly body: AsyncIterable<Uint8Array>
}

/** Why an invocation has no end of its own. `unavailable`: it never began, since the Worker does not start, rests after
 *  crashes, or finds no room. Otherwise its process was ended, except where the invocation was only late. */
export interface Failure {
  readonly kind: 'unavailable' | 'crashed' | 'timeout' | 'exceeded-cpu' | 'exceeded-memory'
  /** For the Worker's owner: it may quote the Worker. */
  readonly message: string
}

export type FetchOutcome = { readonly kind: 'answered'; readonly response: WorkerResponse } | Failure
