import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkedFetch } from './checked-fetch.ts'
import type { Instance } from './instance.ts'

/** An answer of the operator's API, or of an account's. `result` is as each route's contract says. */
export interface QueueAnswer<R> {
  readonly status: number
  readonly result: R
  readonly cursor: string | null
  readonly error: { readonly code: number; readonly detail: string; readonly pointer: string | undefined }
}

export function operatorToken(instance: Instance): string {
  return readFileSync(join(instance.directory, 'operator-token'), 'utf8').trim()
}

/** Asks `/operator/v1`, by default with the right token. */
export function askOperator<R>(
  instance: Instance,
  method: string,
  path: string,
  options: { readonly body?: unknown; readonly headers?: Record<string, string> } = {},
): Promise<QueueAnswer<R>> {
  const authorization = `Bearer ${operatorToken(instance)}`
  return ask<R>(`${instance.dev.dashboard}/operator/v1${path}`, {
    method,
    headers: { authorization, ...options.headers },
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
  })
}

/** Asks below `/accounts/{id}/email/sending`, by default as the instance's own account. */
export function askAccount<R>(
  instance: Instance,
  method: string,
  path: string,
  by: { readonly accountId?: string; readonly token?: string } = {},
): Promise<QueueAnswer<R>> {
  const { accountId = instance.dev.account_id, token = instance.dev.api_token } = by
  return ask<R>(`${instance.dev.api}/accounts/${accountId}/email/sending${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  })
}

async function ask<R>(url: string, init: RequestInit): Promise<QueueAnswer<R>> {
  const response = await checkedFetch(url, init)
  const envelope = JSON.parse(await response.text())
  const [error] = envelope.errors
  return {
    status: response.status,
    result: envelope.result,
    cursor: envelope.result_info?.cursor ?? null,
    error: {
      code: error?.code,
      detail: error?.error_chain?.[0]?.message,
      pointer: error?.source?.pointer,
    },
  }
}
