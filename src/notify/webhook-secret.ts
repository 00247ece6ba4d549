import { createHmac, randomBytes } from 'node:crypto'
import type { Vault } from '#vault/vault.ts'

/** A key that signs what a webhook is told: `whsec_` and base64, as Standard Webhooks writes it. */
export interface WebhookSecret {
  readonly secret: string
  /** In milliseconds since 1970: one that was replaced signs beside the new one until then. */
  readonly until?: number
}

const PREFIX = 'whsec_'
/** The specification asks for 24 to 64. */
const KEY_BYTES = 32

export function newWebhookSecret(): string {
  return `${PREFIX}${randomBytes(KEY_BYTES).toString('base64')}`
}

/** The new one first; those before it that are still good stay for the overlap. */
export function rotated(
  secrets: readonly WebhookSecret[],
  next: string,
  { now, overlapMs }: { readonly now: number; readonly overlapMs: number },
): readonly WebhookSecret[] {
  const until = now + overlapMs
  const before = stillGood(secrets, now).map((each) => ({
    secret: each.secret,
    until: Math.min(each.until ?? until, until),
  }))
  // Each makes the header longer.
  return [{ secret: next }, ...before.filter((each) => each.until > now).slice(0, MOST_BEFORE)]
}

const MOST_BEFORE = 2

function stillGood(secrets: readonly WebhookSecret[], now: number): readonly WebhookSecret[] {
  return secrets.filter(({ until }) => until === undefined || until > now)
}

/** The headers of one attempt (Standard Webhooks, "Signature scheme"): a signature by each secret that is good now. */
export function signedHeaders(
  secrets: readonly WebhookSecret[],
  { messageId, body, now }: { readonly messageId: string; readonly body: string; readonly now: number },
): Readonly<Record<string, string>> {
  const timestamp = Math.floor(now / 1000)
  const signatures = stillGood(secrets, now).map(({ secret }) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
    const mac = createHmac('sha256', key).update(`${messageId}.${timestamp}.${body}`)
    return `v1,${mac.digest('base64')}`
  })
  return {
    'webhook-id': messageId,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}

interface SecretsPlace {
  readonly webhookId: string
  readonly accountId: string
}

export function sealSecrets(vault: Vault, place: SecretsPlace, secrets: readonly WebhookSecret[]): string {
  return vault.seal(JSON.stringify(secrets), sealedAs(place))
}

/** Throws SealBroken where the row was changed or moved, or the master key is another. */
export function openSecrets(vault: Vault, place: SecretsPlace, sealed: string): readonly WebhookSecret[] {
  // Sealed by `sealSecrets` alone.
  return JSON.parse(vault.open(sealed, sealedAs(place)).toString('utf8'))
}

function sealedAs({ webhookId, accountId }: SecretsPlace) {
  return { table: 'webhook', row: webhookId, account: accountId }
}
