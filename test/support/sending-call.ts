import type { DeliverabilityResult, ImportResult } from '#contract/suppressions.ts'
import type { Instance } from '#test/instance.ts'
import { checkedFetch } from './checked-fetch.ts'

/** What the routes without a method in the SDK answer, all of them together. */
type Result = ImportResult & DeliverabilityResult

export interface Called {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly error: { code: number; message: string; name: string; detail: string; pointer: string | undefined }
  readonly result: Result
}

/** As the development account, unless it says otherwise. */
export interface Asked {
  /** A string goes as it is, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly accountId?: string
  readonly token?: string
}

/** Asks a route below `/accounts/{id}/email/sending/`. */
export async function call(
  { dev }: Instance,
  asked: Asked & { readonly method: string; readonly path: string },
): Promise<Called> {
  const { method, path, body, headers = {}, accountId = dev.account_id, token = dev.api_token } = asked
  const response = await checkedFetch(`${dev.api}/accounts/${accountId}/email/sending/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true && text.startsWith('{')
  const envelope = isJson ? JSON.parse(text) : {}
  const [error] = envelope.errors ?? []
  return {
    status: response.status,
    headers: response.headers,
    text,
    error: {
      code: error?.code,
      message: error?.message,
      name: error?.error_chain?.[0]?.name,
      detail: error?.error_chain?.[0]?.message,
      pointer: error?.source?.pointer,
    },
    result: envelope.result,
  }
}
