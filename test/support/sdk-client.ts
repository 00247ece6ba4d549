import Cloudflare, { type ClientOptions } from 'cloudflare'
import type { DevJson } from '#contract/dev-json.ts'
import { checkedFetch } from './checked-fetch.ts'

/** The official SDK at the API that `dev.json` names, every answer held against the document. It asks once: a second try
 *  would hide what a first one got wrong. */
export function sdkClient(
  { api, api_token }: Pick<DevJson, 'api' | 'api_token'>,
  options: ClientOptions = {},
): Cloudflare {
  return new Cloudflare({
    ...{ fetch: checkedFetch, apiToken: api_token, baseURL: api, maxRetries: 0 },
    ...options,
  })
}
