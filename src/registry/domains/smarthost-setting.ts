import { isIP } from 'node:net'
import type { SmarthostSetting } from '#model/smarthost.ts'
import { isPublicAddress } from '#net/private-address.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import { inside } from './zone-contents.ts'

/** Why a customer's setting is none. `detail` is a sentence for the person who wrote it. */
export interface SettingFault {
  readonly field: 'host' | 'port' | 'tls' | 'username' | 'password'
  readonly detail: string
}

/** The ports of mail: relay, submission by either TLS, and what providers offer where those are blocked. Others below
 *  1024 belong to services that a customer has no business to make us talk to. */
const MAIL_PORTS: ReadonlySet<number> = new Set([25, 465, 587, 2525])
const MOST_USERNAME = 255
const MOST_PASSWORD = 1024

/** The setting of a customer, with its host in lower case and A-labels, or what is wrong with it. Where the name leads
 *  is looked at when it is connected to, and each time anew. */
export function checkSmarthostSetting(
  { host, port, tls, login }: SmarthostSetting,
  serviceDomain: string,
): SmarthostSetting | SettingFault {
  const name = checkHost(host, serviceDomain)
  if (typeof name !== 'string') return name
  if (!MAIL_PORTS.has(port) && !(Number.isInteger(port) && port >= 1024 && port <= 65_535))
    return { field: 'port', detail: 'The port must be 25, 465, 587, 2525 or from 1024 to 65535.' }
  if (login === undefined) return { host: name, port, tls }
  if (tls === 'none')
    return {
      field: 'tls',
      detail: 'A login needs TLS: "implicit" or "starttls", so that nobody overhears it.',
    }
  const username = checkText('username', login.username, MOST_USERNAME)
  const password = checkText('password', login.password, MOST_PASSWORD)
  return username ?? password ?? { host: name, port, tls, login }
}

function checkHost(text: string, serviceDomain: string): string | SettingFault {
  const fault = (detail: string): SettingFault => ({ field: 'host', detail })
  if (isIP(text)) {
    if (text.includes('%') || !isPublicAddress(text))
      return fault('The host must be a public address, or a name that leads to one.')
    return text.toLowerCase()
  }
  const name = parseDomainName(text)
  if (typeof name !== 'string') return fault(name.detail)
  if (inside(name, serviceDomain))
    return fault('The host is this service itself, which would send the mail to itself for ever.')
  return name
}

function checkText(field: 'username' | 'password', text: string, most: number): SettingFault | undefined {
  if (text === '')
    return { field, detail: `The ${field} is empty; leave out both for a host without a login.` }
  if (text.length > most) return { field, detail: `The ${field} may have ${most} characters at most.` }
  if (/\p{Cc}/u.test(text) || !text.isWellFormed())
    return { field, detail: `The ${field} holds a character that is none, such as a line break.` }
  return undefined
}
