import { newId } from '#store/id.ts'
import type { Store, Write } from '#store/store.ts'
import { auditWrite } from './audit.ts'
import { type Invitation, type Invitations, openInvitations } from './invitations.ts'
import type { Members } from './members.ts'
import { openPasswords } from './password.ts'
import { openPasswordResetLimits } from './password-reset-limits.ts'
import { newResetToken, openPasswordResets, type PasswordReset } from './password-resets.ts'
import { type Client, openSessions, type Session, type Sessions } from './sessions.ts'
import { openSignInLimits } from './sign-in-limits.ts'
import {
  type Credited,
  creditedOfEmail,
  creditedOfId,
  newUserWrite,
  operatorWrite,
  passwordStands,
  passwordWrite,
} from './users.ts'

/** People who sign in. In: an address and a password. Out: a session.
 *  Promise: whether an address is somebody's shows neither in an answer nor in the time that it takes; guessing is slow
 *  for each address and each network; and every sign-in, every failed one and every end of a session is in the audit
 *  logs of the accounts of whom it is about. */
export interface People {
  readonly sessions: Sessions
  readonly invitations: Invitations
  /** `instead`: the secret of a session that this browser has. */
  signIn(wish: SignIn): Promise<SignedIn | NotSignedIn>
  /** Without a password, for development; undefined where there is no such user. */
  signInAs(email: string, from: From): Promise<SignedIn | undefined>
  signOut(session: Session, client: Client): Promise<void>
  signOutEverywhere(session: Session, client: Client): Promise<void>
  /** False where the user has no such session. */
  endSession(session: Session, client: Client, id: string): Promise<boolean>
  /** Ends the other sessions of the user, and the link of a reset. */
  changePassword(
    session: Session,
    client: Client,
    change: { readonly current: string; readonly next: string },
  ): Promise<'changed' | NotSignedIn>
  /** Takes one from what the network may say it forgot; out: 0, or in how many milliseconds to try again. */
  takeReset(client: Client): number
  /** Makes a link by which whoever has the address, and perhaps never had a password, chooses one. `mail` promises its
   *  mail; it is called, and its writes are dropped, where nobody has the address, too, so that both take as long. False
   *  where no mail was promised: there is no such user, or it had enough of them lately. */
  forgot(email: string, client: Client, mail: ResetMail): Promise<boolean>
  /** By the token of its link; undefined once that works no longer. */
  findReset(token: string): Promise<PasswordReset | undefined>
  /** Sets the password, ends every session of the user, and signs in. */
  resetPassword(
    reset: PasswordReset,
    password: string,
    from: From,
  ): Promise<SignedIn | NotSignedIn | { readonly kind: 'gone' }>
  /** Whether whoever accepts has a password already. */
  isKnown(invitation: Invitation): Promise<boolean>
  /** Makes the user, or takes the password that it has, and signs in. `unusable`: the address is a user's who has no
   *  password, so nobody can show to be that user. */
  accept(
    invitation: Invitation,
    password: string,
    from: From,
  ): Promise<SignedIn | NotSignedIn | { readonly kind: 'gone' } | { readonly kind: 'unusable' }>
  /** Makes a user who can sign in, or sets what is given of one that is there, whose sessions end with a new password;
   *  the audit logs of its accounts tell of that as of the service's own doing.
   *  `created` without a password is none's to sign in with. */
  setUser(wish: UserWish): Promise<{ readonly id: string; readonly created: boolean } | 'busy'>
  user(userId: string): Promise<Credited | undefined>
  userOfEmail(email: string): Promise<Credited | undefined>
}

/** `to` is as the user wrote it, never as somebody else asks for it: other letters may fold to the same address. */
export type ResetMail = (to: string, token: string) => Promise<readonly Write[]>

/** From where, and which session it takes the place of: every sign-in has a secret of its own. */
export interface From {
  readonly client: Client
  readonly instead: string | undefined
}

export interface SignIn extends From {
  readonly email: string
  readonly password: string
}

export interface SignedIn {
  readonly kind: 'signed-in'
  readonly secret: string
  readonly userId: string
}

export type NotSignedIn =
  | { readonly kind: 'wrong' }
  | { readonly kind: 'busy' }
  | { readonly kind: 'limited'; readonly retryAfterMs: number }

export interface UserWish {
  readonly email: string
  readonly password?: string
  readonly operator?: boolean
}

export function openPeople(world: {
  readonly store: Store
  readonly clock: () => number
  readonly members: Pick<Members, 'memberships' | 'joins' | 'joined'>
}): People {
  const { store, clock, members } = world
  const passwords = openPasswords()
  const limits = openSignInLimits(clock)
  const resetLimits = openPasswordResetLimits(clock)
  const sessions = openSessions(world)
  const invitations = openInvitations(world)
  const resets = openPasswordResets(world)

  /** A line in each of the user's accounts. */
  async function lines(
    userId: string,
    client: Client,
  ): Promise<(action: string, sessionId: string | null) => readonly Write[]> {
    const at = clock()
    const accountIds = (await members.memberships(userId)).map(({ accountId }) => accountId)
    return (action, sessionId) =>
      accountIds.map((accountId) =>
        auditWrite({
          ...{ accountId, action, at, userLevel: true },
          actor: { tokenId: sessionId, userId, address: client.address },
          resource: { type: sessionId === null ? 'user' : 'session', id: sessionId ?? userId },
        }),
      )
  }

  /** `wrong` where what was shown for it does not hold any more: a session that begins while the password is changed
   *  would outlive the others. */
  async function begin(
    userId: string,
    { client, instead }: From,
    stands: readonly Write[],
  ): Promise<SignedIn | { readonly kind: 'wrong' }> {
    const line = await lines(userId, client)
    const begun = await sessions.begin({ userId, client, instead }, (id) => [
      ...stands,
      ...line('session.create', id),
    ])
    return begun ? { kind: 'signed-in', secret: begun.secret, userId } : { kind: 'wrong' }
  }

  const standing = ({ id, password }: Credited) =>
    password === undefined ? [] : [passwordStands(id, password)]

  /** One computation in any case, and the line about a wrong one after the answer: its time must not tell whether there
   *  is such a user. */
  async function check(
    email: string,
    password: string,
    client: Client,
    user: Credited | undefined,
  ): Promise<'right' | NotSignedIn> {
    const retryAfterMs = limits.take(email, client.address)
    if (retryAfterMs > 0) return { kind: 'limited', retryAfterMs }
    const matches = await passwords.matches(password, user?.password)
    if (matches !== false) limits.giveBack(email, client.address)
    if (matches === 'busy') return { kind: 'busy' }
    if (matches) return 'right'
    if (user) setImmediate(() => noteFailure(user.id, client))
    return { kind: 'wrong' }
  }

  async function resetLines(userId: string): Promise<readonly Write[]> {
    return (await members.memberships(userId)).map(({ accountId }) =>
      auditWrite({
        ...{ accountId, actor: 'system', action: 'password.update', at: clock(), userLevel: true },
        resource: { type: 'user', id: userId },
      }),
    )
  }

  function noteFailure(userId: string, client: Client): void {
    const note = async () => {
      const line = await lines(userId, client)
      const writes = line('session.refuse', null)
      if (writes.length > 0) await store.commit(writes)
    }
    // A store that is away refuses everybody, and says so elsewhere.
    note().catch(() => undefined)
  }

  return {
    sessions,
    invitations,
    user: (userId) => creditedOfId(store, userId),
    userOfEmail: (email) => creditedOfEmail(store, email),

    async signIn({ email, password, ...from }) {
      const user = await creditedOfEmail(store, email)
      const checked = await check(email, password, from.client, user)
      if (checked !== 'right' || !user) return checked === 'right' ? { kind: 'wrong' } : checked
      return begin(user.id, from, standing(user))
    },

    async signInAs(email, from) {
      const user = await creditedOfEmail(store, email)
      const begun = user && (await begin(user.id, from, []))
      return begun?.kind === 'signed-in' ? begun : undefined
    },

    async signOut({ id, userId }, client) {
      const line = await lines(userId, client)
      await sessions.end(userId, id, () => line('session.delete', id))
    },

    async signOutEverywhere({ id, userId }, client) {
      const line = await lines(userId, client)
      await sessions.endAll(userId, undefined, line('session.delete_all', id))
    },

    async endSession({ userId, id: by }, client, id) {
      const line = await lines(userId, client)
      return sessions.end(userId, id, () => line('session.delete', by))
    },

    async changePassword({ id, userId, email }, client, { current, next }) {
      const user = await creditedOfId(store, userId)
      const checked = await check(email, current, client, user)
      if (checked !== 'right') return checked
      const hashed = await passwords.hash(next)
      if (hashed === undefined) return { kind: 'busy' }
      const line = await lines(userId, client)
      const changed = await sessions.endAll(userId, id, [
        resets.voided(userId),
        passwordWrite(userId, hashed, user?.password),
        ...line('password.update', id),
      ])
      // It was changed elsewhere meanwhile.
      return changed ? 'changed' : { kind: 'wrong' }
    },

    takeReset: ({ address }) => resetLimits.take(address),

    async forgot(email, client, mail) {
      const user = await creditedOfEmail(store, email)
      const token = newResetToken()
      const mailed = await mail(user?.email ?? email, token)
      if (!user) return false
      const line = await lines(user.id, client)
      return resets.make(user.id, token, [...mailed, ...line('password_reset.create', null)])
    },

    findReset: (token) => resets.find(token),

    async resetPassword(reset, password, from) {
      const { userId, email } = reset
      const hashed = await passwords.hash(password)
      if (hashed === undefined) return { kind: 'busy' }
      const user = await creditedOfId(store, userId)
      const line = await lines(userId, from.client)
      const done = await sessions.endAll(userId, undefined, [
        resets.used(reset),
        passwordWrite(userId, hashed, user?.password),
        ...line('password.reset', null),
      ])
      if (!done) return { kind: 'gone' }
      limits.forget(email, from.client.address)
      return begin(userId, from, [passwordStands(userId, hashed)])
    },

    async isKnown({ email }) {
      return (await creditedOfEmail(store, email)) !== undefined
    },

    async accept(invitation, password, from) {
      const { accountId, email, role } = invitation
      const known = await creditedOfEmail(store, email)
      // Whoever invites has the link too, and must not become somebody who acts in other accounts.
      if (known && known.password === undefined) return { kind: 'unusable' }
      const userId = known?.id ?? newId()
      const made: Write[] = []
      if (known) {
        const checked = await check(email, password, from.client, known)
        if (checked !== 'right') return checked
      } else {
        const hashed = await passwords.hash(password)
        if (hashed === undefined) return { kind: 'busy' }
        made.push(newUserWrite({ id: userId, email, password: hashed, at: clock() }))
      }
      const committed = await store.commit([
        invitations.used(invitation),
        ...made,
        members.joins(accountId, userId, role),
        auditWrite({
          ...{ accountId, action: 'member.accept', at: clock() },
          actor: { tokenId: null, userId, address: from.client.address },
          resource: { type: 'member', id: invitation.id },
          after: { email, role },
        }),
      ])
      if (!committed.ok) return { kind: 'gone' }
      members.joined(accountId, userId)
      return begin(userId, from, known ? standing(known) : [])
    },

    async setUser({ email, password, operator }) {
      const hashed = password === undefined ? undefined : await passwords.hash(password)
      if (password !== undefined && hashed === undefined) return 'busy'
      const known = await creditedOfEmail(store, email)
      const id = known?.id ?? newId()
      const also = operator === undefined ? [] : [operatorWrite(id, operator)]
      if (known && hashed !== undefined) {
        const password = [resets.voided(id), passwordWrite(id, hashed, known.password)]
        const ended = await sessions.endAll(id, undefined, [...password, ...(await resetLines(id)), ...also])
        if (!ended) throw new Error(`the user ${id} was changed meanwhile`)
        return { id, created: false }
      }
      const made = known ? [] : [newUserWrite({ id, email, password: hashed ?? null, at: clock() })]
      const writes = [...made, ...also]
      if (writes.length > 0) {
        const written = await store.commit(writes)
        if (!written.ok) throw new Error(`${written.conflict} conflicted: the user was changed meanwhile`)
      }
      if (known) await sessions.forgetUser(id)
      return { id, created: !known }
    },
  }
}
