import { z } from 'zod'

/** `dev.json` in the data folder of a development instance: written once every door is open, so that its presence
 *  means ready. A door that this version does not have is left out. */
export const devJson = z.object({
  pid: z.number(),
  api: z.url(),
  dashboard: z.url(),
  inbox: z.url(),
  account_id: z.string(),
  zone_id: z.string(),
  zone: z.string(),
  api_token: z.string(),
  /** Who signs in to the dashboard; the password is the one that the first start made. */
  admin: z.object({ email: z.string(), password: z.string() }),
  submission: z.object({ host: z.string(), port: z.number(), username: z.string() }),
  mx: z.object({ host: z.string(), port: z.number() }),
  dns: z.object({ host: z.string(), port: z.number() }),
  /** HTTPS, with the MTA-STS policies. */
  policies: z.object({ host: z.string(), port: z.number() }),
  /** HTTP, with the account's Workers: `http://<worker>.<host>:<port>`. */
  workers: z.object({ host: z.string(), port: z.number() }),
  ca: z.string(),
})

export type DevJson = z.output<typeof devJson>
