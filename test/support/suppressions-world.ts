import assert from 'node:assert/strict'
import { type Address, foldAddress } from '#model/address.ts'
import { parseAddress } from '#protocol/address.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import {
  type NewSuppression,
  openSuppressions,
  softBounceWrites,
  suppressWrites,
} from '#registry/suppressions/suppressions.ts'
import type { OpenStore } from '#test/stores.ts'

export const HOUR_MS = 60 * 60 * 1000
export const DAY_MS = 24 * HOUR_MS
export const KEY = 'user@example.com'
/** The domain that mail is sent as, where a test does not say another. */
export const DOMAIN = 'yourdomain.com'
export const BY = { tokenId: 't1' }

export function address(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(typeof parsed === 'string', text)
  return parsed
}

/** The registry over a real store, at the test's own time, with two accounts. */
export async function suppressionsWorld(open: OpenStore) {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store: open.store, clock })
  const suppressions = openSuppressions({ store: open.store, clock })
  const a = (await accounts.createAccount('A')).id
  const b = (await accounts.createAccount('B')).id
  const subject = (email: string) => {
    const recipient = address(email)
    return { accountId: a, email: recipient, emailKey: foldAddress(recipient), createdAt: now }
  }

  /** Reports something about a recipient of account A that suppresses it for `forMs`, null for ever. */
  async function report(reason: NewSuppression['reason'], forMs: number | null, email = 'User@Example.com') {
    const expiresAt = forMs === null ? null : now + forMs
    const committed = await open.store.commit(suppressWrites({ ...subject(email), reason, expiresAt }))
    assert.ok(committed.ok)
  }
  async function reportSoftBounce(email = 'User@Example.com') {
    const committed = await open.store.commit(softBounceWrites(subject(email)))
    assert.ok(committed.ok)
  }
  const current = async (key = KEY, domain = DOMAIN) => (await suppressions.find(a, [key], domain)).get(key)
  const pass = (ms: number) => (now += ms)
  return { a, b, suppressions, report, reportSoftBounce, current, now: clock, pass }
}
