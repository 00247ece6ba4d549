import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { type Bodies, openBodies } from '#bodies/bodies.ts'
import { createSubmissionServer, type SubmissionOptions } from '#ingress/smtp-submission/submission-server.ts'
import type { Address } from '#model/address.ts'
import { serviceNames } from '#model/service.ts'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { openLog } from '#observe/log.ts'
import { type Acceptor, openAcceptor } from '#outbound/accept/accept.ts'
import { openQueue } from '#outbound/queue/queue.ts'
import { type Accounts, openAccounts } from '#registry/accounts/accounts.ts'
import { openDomains } from '#registry/domains/domains.ts'
import { LOOPBACK_ADDRESSES } from '#registry/domains/service-zone.ts'
import { openQuota } from '#registry/quota/quota.ts'
import { openDestinations } from '#registry/routes/destinations.ts'
import { openSuppressions, type Suppressions } from '#registry/suppressions/suppressions.ts'
import type { SmtpServer } from '#smtp/server.ts'
import { type Store, statement } from '#store/store.ts'
import { openVault } from '#vault/vault.ts'

/** The submission door with everything real below it, and no delivery engine: what it promises waits in the store.
 *  Account `one` has one.example, and below it pending.one.example (not seen in DNS yet), off.one.example (sending
 *  switched off) and routed.one.example (routing only, `me@dest.example` verified); `two` has two.example; `off` has
 *  three.example, and its sending is switched off. */
export interface SubmissionWorld {
  readonly store: Store
  readonly accounts: Accounts
  readonly acceptor: Acceptor
  readonly suppressions: Suppressions
  readonly bodies: Bodies
  readonly account: { readonly one: string; readonly two: string; readonly off: string }
  readonly tokens: Readonly<Record<TokenName, string>>
  /** Another token of account `one`. */
  newToken(): Promise<{ readonly id: string; readonly secret: string }>
  /** Of all tokens there are, in the order they were made. */
  readonly secrets: readonly string[]
  /** All that was logged at level trace, a string for each line. */
  readonly logged: readonly string[]
  /** A door of its own, with the login delays of a new process. */
  open(options?: Partial<SubmissionOptions>): Promise<OpenDoor>
}

export type TokenName =
  | 'one'
  | 'other-account'
  | 'switched-off'
  | 'revoked'
  | 'expired'
  | 'no-permission'
  | 'user-owned'
  | 'user-elsewhere'
  | 'unknown'

export interface OpenDoor extends AsyncDisposable {
  readonly port: number
  readonly server: SmtpServer
  /** A new connection, its certificate checked, and its handshake under way. */
  dial(): TLSSocket
}

const SERVICE = serviceNames('posthorn.test')
export const HOSTNAME = SERVICE.submission

export async function openSubmissionWorld(
  { store, directory }: { readonly store: Store; readonly directory: string },
  clock = Date.now,
): Promise<SubmissionWorld> {
  const logged: string[] = []
  const log = openLog('trace', sinkOf(logged))
  const accounts = openAccounts({ store, clock })
  const vault = openVault(randomBytes(32))
  const domains = openDomains({ store, vault, service: SERVICE, addresses: LOOPBACK_ADDRESSES, clock })
  const destinations = openDestinations({ store, clock })
  const suppressions = openSuppressions({ store, clock })
  const bodies = openBodies({ store, directory })
  const queue = await openQueue({ store, bodies, log, node: randomUUID(), now: clock, newToken: randomUUID })
  const ca = await openCertificateAuthority({ folder: join(directory, 'ca'), serviceDomain: SERVICE.domain })
  await domains.ensureServiceKeys()
  const acceptor = openAcceptor({
    store,
    queue,
    domains,
    destinations,
    suppressions,
    quota: openQuota({ store }),
    host: HOSTNAME,
    expireMs: 60_000,
    feedbackTag: (id) => id,
    alwaysSuppressed: () => false,
    now: clock,
  })

  const [one, two, off] = await Promise.all(
    ['One', 'Two', 'Off'].map(async (name) => (await accounts.createAccount(name)).id),
  )
  assert.ok(one && two && off)
  await store.commit([{ statement: switchAccountOff, params: [off] }])
  const zoneOf = async (accountId: string, name: string) => {
    const created = await domains.createZone(accountId, name, { active: true })
    assert.ok('zone' in created)
    return created.zone.id
  }
  const [zone, zoneOfTwo, zoneOfOff] = await Promise.all([
    zoneOf(one, 'one.example'),
    zoneOf(two, 'two.example'),
    zoneOf(off, 'three.example'),
  ])
  const ofOne = { accountId: one, zoneId: zone, active: true }
  await Promise.all([
    domains.onboardSending({ ...ofOne, name: 'one.example' }),
    domains.onboardSending({ ...ofOne, name: 'off.one.example' }),
    domains.onboardSending({ ...ofOne, name: 'pending.one.example', active: false }),
    domains.onboardRouting({ ...ofOne, name: 'routed.one.example' }),
    domains.onboardSending({ accountId: two, zoneId: zoneOfTwo, name: 'two.example', active: true }),
    domains.onboardSending({ accountId: off, zoneId: zoneOfOff, name: 'three.example', active: true }),
  ])
  await destinations.addDestination(one, 'me@dest.example' as Address, { verified: true })
  await store.commit([{ statement: switchDomainOff, params: ['off.one.example'] }])

  const tokens = await makeTokens(accounts, { one, two, off }, clock())
  const secrets = Object.values(tokens)
  return {
    store,
    accounts,
    acceptor,
    suppressions,
    bodies,
    logged,
    account: { one, two, off },
    tokens,
    secrets,
    async newToken() {
      const token = await accounts.createToken(one, SENDING)
      secrets.push(token.secret)
      return token
    },
    open: (options = {}) => {
      const world = { accounts, domains, acceptor, log, now: clock, certificate: () => ca.leaf, ...options }
      return openDoor(world, ca.certificate)
    },
  }
}

const switchAccountOff = statement('test.account-off', 'update account set sending_enabled = 0 where id = $1')
const switchDomainOff = statement('test.domain-off', `update domain set sending = 'disabled' where name = $1`)

const SENDING = { name: 'smtp', permissions: ['Email Sending:Edit'] } as const

async function makeTokens(
  accounts: Accounts,
  of: SubmissionWorld['account'],
  now: number,
): Promise<Record<TokenName, string>> {
  const [member, stranger] = await Promise.all([
    accounts.createUser('member@people.example'),
    accounts.createUser('stranger@people.example'),
  ])
  await accounts.addMember(of.one, member.id)
  await accounts.addMember(of.two, member.id)
  const revoked = await accounts.createToken(of.one, SENDING)
  await accounts.revokeToken(of.one, revoked.id)
  const secret = async (made: Promise<{ readonly secret: string }>) => (await made).secret
  return {
    one: await secret(accounts.createToken(of.one, SENDING)),
    'other-account': await secret(accounts.createToken(of.two, SENDING)),
    'switched-off': await secret(accounts.createToken(of.off, SENDING)),
    revoked: revoked.secret,
    expired: await secret(accounts.createToken(of.one, { ...SENDING, expiresAt: now - 1 })),
    'no-permission': await secret(
      accounts.createToken(of.one, { name: 'smtp', permissions: ['Email Sending:Read', 'Analytics:Edit'] }),
    ),
    'user-owned': await secret(accounts.createUserToken(member.id, SENDING)),
    'user-elsewhere': await secret(accounts.createUserToken(stranger.id, SENDING)),
    unknown: randomBytes(30).toString('base64url'),
  }
}

async function openDoor(
  world: Pick<SubmissionOptions, 'accounts' | 'domains' | 'acceptor' | 'log' | 'now' | 'certificate'>,
  ca: string,
): Promise<OpenDoor> {
  const server = createSubmissionServer({
    hostname: HOSTNAME,
    connections: 200,
    connectionsPerAddress: 100,
    connectionsPerAccount: 50,
    ...world,
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const sockets = new Set<TLSSocket>()
  return {
    port,
    server,
    dial() {
      const socket = connect({ port, host: '127.0.0.1', ca })
      sockets.add(socket)
      socket.on('error', () => {})
      return socket
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await server.close({ graceMs: 0 })
    },
  }
}

function sinkOf(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
}

/** A message as it stands in the store. */
export interface StoredMessage {
  readonly id: string
  readonly accountId: string
  /** As it goes out, signature included, one character for each octet. */
  readonly content: string
  readonly recipients: readonly string[]
}

/** All that was accepted since the message of that id, or ever, in the order of acceptance. */
export async function messagesAfter(
  { store, bodies }: Pick<SubmissionWorld, 'store' | 'bodies'>,
  id = '',
): Promise<StoredMessage[]> {
  const rows = await store.all(messagesAfterId, [id])
  return Promise.all(
    rows.map(async (row) => {
      const body = await bodies.read(row.body_id)
      const deliveries = await store.all(recipientsOfMessage, [row.id])
      return {
        id: row.id,
        accountId: row.account_id,
        content: body?.toString('latin1') ?? '',
        recipients: deliveries.map(({ recipient }) => recipient),
      }
    }),
  )
}

const messagesAfterId = statement<{ id: string; account_id: string; body_id: string }>(
  'test.messages-after',
  'select id, account_id, body_id from message where id > $1 order by id',
)
const recipientsOfMessage = statement<{ recipient: string }>(
  'test.recipients-of',
  'select recipient from delivery where message_id = $1 order by id',
)
