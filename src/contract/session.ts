import { z } from 'zod'

/** `/session/v1`: people who sign in to the dashboard. The envelope is that of the API. A session is a cookie that no
 *  script reads; whatever changes something under it bears `csrf_token` as the header `x-csrf-token`. */
export const SESSION_BASE = '/session/v1'

/** The header that a request under a session's cookie has to have, unless it only reads. */
export const CSRF_HEADER = 'x-csrf-token'

/** Characters of a password at least and at most. */
export const PASSWORD_LENGTH = { least: 10, most: 256 } as const

export const role = z.enum(['admin', 'member'])

/** A host and a port to connect to. */
const place = z.object({ host: z.string(), port: z.number().int() })

/** What the service is, for the examples and hints that the dashboard shows. */
export const serviceInfo = z.object({
  /** From which every host name of the service derives. */
  domain: z.string(),
  mx: place,
  submission: place,
  /** The file of the certificate authority that clients of this server have to be told of: for who sits at this machine. */
  ca: z.string().optional(),
  /** The authoritative DNS of hosted zones, where this process serves it. */
  dns: place.optional(),
  /** `http://<worker>.<subdomain>.<host>:<port>` without its first two names: `http://localhost:8787`. */
  workers: z.string().optional(),
  /** Whether `/api/v1` is there, with the mail that was delivered to the sandbox. */
  inbox: z.boolean(),
  /** Where people reach this server: scheme, host and port. */
  public_url: z.string(),
})
export type ServiceInfo = z.output<typeof serviceInfo>

/** What `GET /session/v1` answers to anybody, and whatever signs in or out. */
export const sessionBody = z.object({
  /** One click signs in: `POST /session/v1/sign-in/development`. */
  development: z.boolean(),
  /** Who forgot a password is mailed a link (`POST /session/v1/password-resets`); otherwise the operator sets another. */
  password_resets: z.boolean(),
  /** Null: nobody is signed in. */
  user: z.object({ id: z.string(), email: z.string(), operator: z.boolean() }).nullable(),
  csrf_token: z.string().nullable(),
  /** Those of which the user is a member, the one joined first at the front. */
  accounts: z.array(z.object({ id: z.string(), name: z.string(), role, sending_enabled: z.boolean() })),
  service: serviceInfo,
})
export type SessionBody = z.output<typeof sessionBody>

const email = z.string().min(3).max(320)
/** What is asked for is not held against the rules for new ones. */
const givenPassword = z.string().min(1).max(1024)
export const newPassword = z
  .string()
  .min(PASSWORD_LENGTH.least, `must have ${PASSWORD_LENGTH.least} characters or more`)
  .max(PASSWORD_LENGTH.most, `must have ${PASSWORD_LENGTH.most} characters at most`)

export const signInRequest = z.strictObject({ email, password: givenPassword })
export type SignInRequest = z.output<typeof signInRequest>

/** Ends the other sessions of the user. */
export const changePasswordRequest = z.strictObject({
  current_password: givenPassword,
  new_password: newPassword,
})
export type ChangePasswordRequest = z.output<typeof changePasswordRequest>

/** One that is signed in; `GET /session/v1/sessions` lists them, the latest used first. */
export const sessionEntry = z.object({
  id: z.string(),
  /** The one that asks. */
  current: z.boolean(),
  created_at: z.string(),
  last_used_at: z.string(),
  /** At the latest, however much it is used. */
  expires_at: z.string(),
  address: z.string(),
  user_agent: z.string(),
})
export type SessionEntry = z.output<typeof sessionEntry>

/** `GET /session/v1/invitations/:token`. */
export const invitationBody = z.object({
  email: z.string(),
  account: z.object({ id: z.string(), name: z.string() }),
  role,
  expires_at: z.string(),
  /** Whoever has this address has a password already, and is to give that one; otherwise a new one. */
  existing_user: z.boolean(),
})
export type InvitationBody = z.output<typeof invitationBody>

/** `POST /session/v1/invitations/:token`, which signs in. */
export const acceptInvitationRequest = z.strictObject({ password: givenPassword })
export type AcceptInvitationRequest = z.output<typeof acceptInvitationRequest>

/** `POST /session/v1/password-resets`. The answer is the same whoever has the address, and so is its time: it says that the
 *  wish was heard, not that a mail is on its way. */
export const requestPasswordReset = z.strictObject({ email })
export type RequestPasswordReset = z.output<typeof requestPasswordReset>

/** Out of the fragment of its link, and in bodies alone: what stands in a path stands in logs. */
const resetToken = z.string()

/** `POST /session/v1/password-resets/look`: whose link it is, and does it work? Changes nothing. */
export const lookAtPasswordReset = z.strictObject({ token: resetToken })
export type LookAtPasswordReset = z.output<typeof lookAtPasswordReset>

export const passwordResetBody = z.object({ email: z.string(), expires_at: z.string() })
export type PasswordResetBody = z.output<typeof passwordResetBody>

/** `POST /session/v1/password-resets/accept`, which signs in, and ends every session that there was. */
export const acceptPasswordReset = z.strictObject({ token: resetToken, password: newPassword })
export type AcceptPasswordReset = z.output<typeof acceptPasswordReset>
