import { setTimeout as delay } from 'node:timers/promises'
import type { Address } from '#model/address.ts'
import { networkOf } from '#net/network-of.ts'
import type { Log } from '#observe/log.ts'
import type { Accounts, Authentication, Token } from '#registry/accounts/accounts.ts'
import { hashSecret } from '#registry/accounts/token-secret.ts'
import type { SmtpSession } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'
import type { LoginDelays } from './login-delays.ts'
import { openLoginWarnings } from './login-warnings.ts'

/** What the door knows of a session that has logged in. */
export interface Login {
  token: Token
  /** Since its MAIL was taken. */
  transaction: Transaction | undefined
}

export interface Transaction {
  readonly from: Address
  /** In whose name. */
  readonly accountId: string
  /** Octets of the content, where MAIL told them. */
  readonly size: number | undefined
  /** Set where MAIL asked for it (RFC 8689). */
  readonly tls: 'required' | undefined
}

export interface Logins {
  /** RFC 4954: `undefined` lets the session in. */
  authenticate(session: SmtpSession, username: string, password: string): Promise<Reply | undefined>
  /** Throws for a session without a login, which the SMTP server lets nowhere. */
  of(session: SmtpSession): Login
  closed(session: SmtpSession): void
}

export interface LoginWorld {
  readonly accounts: Accounts
  readonly delays: LoginDelays
  readonly log: Log
  /** Sessions at once for one account, or with tokens of one user. */
  readonly connectionsPerAccount: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** How a login waits. */
  readonly sleep?: (ms: number) => Promise<void>
}

/** Logins of one network that may wait at once: who opens many connections does not guess any faster. */
const MOST_WAITING = 5

const USERNAME = 'api_token'
const PERMISSION = 'Email Sending:Edit'

/** One text for every reason, so that who guesses learns nothing (sending-smtp.md, Troubleshooting). */
const REFUSED: Reply = {
  code: 535,
  enhanced: '5.7.8',
  text: `Authentication failed: the user name is ${USERNAME}, the password an API token with the permission "Email Sending: Edit"`,
}
const TOO_MANY_WAITING: Reply = {
  code: 421,
  enhanced: '4.7.0',
  text: 'Too many logins from your network were refused and others are waiting, try again later',
}
// RFC 4954 §6.
const UNAVAILABLE: Reply = {
  code: 454,
  enhanced: '4.7.0',
  text: 'The token cannot be checked at the moment, try again later',
}

type Held = { readonly login: Login; readonly owner: string } | 'closed'

export function openLogins(world: LoginWorld): Logins {
  const { accounts, delays, log, connectionsPerAccount, sleep = realSleep } = world
  const warnings = openLoginWarnings(world)
  const sessions = new WeakMap<SmtpSession, Held>()
  const open = new Map<string, number>()
  const waiting = new Map<string, number>()

  async function authenticate(
    session: SmtpSession,
    username: string,
    password: string,
  ): Promise<Reply | undefined> {
    const network = networkOf(session.remoteAddress)
    const attempt = { network, secretHash: hashSecret(password) }
    const delayMs = delays.before(attempt)
    const refused = (fault: string, owner?: string) =>
      warnings.refused(network, { peer: session.remoteAddress, fault, owner, delayMs })
    if (delayMs > 0 && !(await wait(network, delayMs))) {
      refused('too-many-waiting')
      return TOO_MANY_WAITING
    }
    // Nobody hears what a look at it would tell.
    if (sessions.get(session) === 'closed') return REFUSED
    let found: Authentication
    try {
      found = await accounts.authenticate(password, session.remoteAddress)
    } catch (error) {
      log.error({ err: error }, 'submission: the token store is out of reach')
      return UNAVAILABLE
    }
    const fault = faultOf(found, username)
    if (found.kind === 'valid' && fault === undefined) {
      delays.succeeded(attempt)
      return admit(session, found.token)
    }
    delays.refused(attempt)
    refused(
      fault ?? found.kind,
      found.kind === 'unknown' ? undefined : ownerOf(found.kind === 'valid' ? found.token : found),
    )
    return REFUSED
  }

  /** False at once where too many of the network wait already. */
  async function wait(network: string, ms: number): Promise<boolean> {
    const others = waiting.get(network) ?? 0
    if (others >= MOST_WAITING) return false
    waiting.set(network, others + 1)
    await sleep(ms)
    const left = (waiting.get(network) ?? 1) - 1
    if (left > 0) waiting.set(network, left)
    else waiting.delete(network)
    return true
  }

  function admit(session: SmtpSession, token: Token): Reply | undefined {
    // Gone while its token was looked up: nobody would take it off the count again.
    if (sessions.get(session) === 'closed') return REFUSED
    const owner = ownerOf(token)
    const count = open.get(owner) ?? 0
    if (count >= connectionsPerAccount) {
      const text = `Too many connections of this account; ${connectionsPerAccount} at once are the most`
      return { code: 421, enhanced: '4.7.0', text }
    }
    open.set(owner, count + 1)
    sessions.set(session, { login: { token, transaction: undefined }, owner })
    return undefined
  }

  return {
    authenticate,
    of(session) {
      const held = sessions.get(session)
      if (held === undefined || held === 'closed') throw new Error('a transaction began without a login')
      return held.login
    },
    closed(session) {
      const held = sessions.get(session)
      sessions.set(session, 'closed')
      if (held === undefined || held === 'closed') return
      const left = (open.get(held.owner) ?? 1) - 1
      if (left > 0) open.set(held.owner, left)
      else open.delete(held.owner)
    },
  }
}

async function realSleep(ms: number): Promise<void> {
  await delay(ms, undefined, { ref: false })
}

/** Why a login is refused, for the operator's log. The user name is never logged: some put the token there. */
function faultOf(found: Authentication, username: string): string | undefined {
  if (found.kind !== 'valid') return found.kind
  if (!found.token.permissions.has(PERMISSION)) return 'permission'
  return username === USERNAME ? undefined : 'username'
}

/** Against whom connections are counted: an account, or a user. */
function ownerOf({ accountId, userId }: Pick<Token, 'accountId' | 'userId'>): string {
  return accountId ?? userId ?? ''
}
