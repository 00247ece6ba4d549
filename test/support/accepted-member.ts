import { ROLE_IDS } from '#contract/members.ts'
import { type Browser, developmentBrowser, openBrowser } from './http-browser.ts'
import type { Instance } from './instance.ts'
import { mailedLink } from './mailed-links.ts'

/** Somebody new who was invited by mail and has accepted, signed in. */
export async function acceptedMember(
  instance: Pick<Instance, 'dev' | 'inbox'>,
  email: string,
  role: keyof typeof ROLE_IDS,
): Promise<Browser> {
  const admin = await developmentBrowser(instance)
  const path = `/client/v4/accounts/${instance.dev.account_id}/members`
  const invited = await admin.ask('POST', path, { body: { email, roles: [ROLE_IDS[role]] } })
  if (invited.status !== 200) throw new Error(invited.text)
  const { pathname } = await mailedLink(instance, email)
  const browser = openBrowser(instance)
  const accepted = await browser.ask('POST', `/session/v1${pathname}`, {
    body: { password: 'a good password' },
  })
  if (accepted.status !== 200) throw new Error(accepted.text)
  return browser
}
