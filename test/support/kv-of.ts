import { api, type Served } from './routing-instance.ts'

/** A key as the API has it. */
export interface KeyOf {
  readonly name: string
  /** In seconds of the epoch. */
  readonly expiration?: number
}

/** What Workers left in a KV namespace, as the API tells it. */
export function kvOf(instance: Served, id: string) {
  const { api: base, account_id: account, api_token: token } = instance.dev
  const path = `/accounts/${account}/storage/kv/namespaces/${id}`
  return {
    keys: (): Promise<readonly KeyOf[]> => api(instance, 'GET', `${path}/keys`),
    /** The value as it is; undefined where there is no such key. */
    async value(key: string): Promise<string | undefined> {
      const url = `${base}${path}/values/${encodeURIComponent(key)}`
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
      return response.ok ? response.text() : undefined
    },
  }
}
