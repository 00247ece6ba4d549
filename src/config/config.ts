import { delimiter, resolve } from 'node:path'
import { z } from 'zod'
import { BLOCK_LISTS, parseBlockLists } from './block-lists.ts'
import { parseDestinationLimits } from './destination-limits.ts'
import { parseRate, RATE } from './rate.ts'
import { parseSmarthostUrl, SMARTHOST_URL } from './smarthost-url.ts'

/** The whole configuration, read once by main.ts into a frozen value. In: environment variables. Out: Config, or an
 *  error that names each variable that is wrong and what it takes. */
export type Config = z.output<typeof schema>

const port = (fallback: number) =>
  z.coerce.number('a port number, or 0 for any free port').int().min(0).max(65535).default(fallback)

const milliseconds = (fallback: number) =>
  z.coerce.number('a number of milliseconds').int().min(0).default(fallback)

const count = (fallback: number) => z.coerce.number('a number from 1 on').int().min(1).default(fallback)

const flag = (fallback: boolean) =>
  z
    .enum(['on', 'off'], 'on or off')
    .default(fallback ? 'on' : 'off')
    .transform((word) => word === 'on')

const rate = z
  .string()
  .transform((text) => parseRate(text))
  .refine((parsed) => parsed !== undefined, RATE)
  .optional()

const share = (fallback: number) =>
  z.coerce
    .number('a number between 0 and 1')
    .gt(0, 'a number between 0 and 1')
    .lt(1, 'a number between 0 and 1')
    .default(fallback)

const hostAndPort = z
  .string()
  .regex(
    /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\]):\d{1,5}$/,
    'host:port on loopback, such as 127.0.0.1:1025',
  )
  .transform((text) => {
    const colon = text.lastIndexOf(':')
    const host = text.slice(0, colon).replaceAll(/[[\]]/g, '')
    return { host: host === 'localhost' ? '127.0.0.1' : host, port: Number(text.slice(colon + 1)) }
  })

const DOMAIN = /^(?=.{1,200}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+$/

const WORKERS_NAME = /^(localhost|(?=.{1,190}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+)$/

// RFC 7208 §5, without macros and without `all`.
const SPF_MECHANISM = /^(?:(?:include|a|mx):[a-z0-9_.-]{1,253}|ip4:[0-9./]{7,18}|ip6:[0-9a-f:./]{2,49})$/i

/** Each field's description is its documentation; the variable is its name in `POSTHORN_…`. */
const variables = z.strictObject({
  DATA: z
    .string()
    .min(1)
    .default('./.posthorn')
    .transform((path) => resolve(path))
    .describe('Folder of everything that must survive: database, bodies, keys. Mode 0700.'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'a postgresql:// URL; leave it out for SQLite in the data folder')
    .optional()
    .describe('PostgreSQL in place of the embedded SQLite.'),
  SERVICE_DOMAIN: z
    .string()
    .regex(DOMAIN, 'a domain name in lower case')
    .default('posthorn.test')
    .describe("The operator's domain, from which every host name of the service derives."),
  DEV_ZONES: z
    .string()
    .default('yourdomain.com')
    .transform((list) =>
      list
        .toLowerCase()
        .split(',')
        .map((zone) => zone.trim()),
    )
    .refine((zones) => zones.every((zone) => DOMAIN.test(zone)), 'domain names, comma-separated')
    .describe('Domains that a development instance onboards for sending and routing, comma-separated.'),
  HTTP_PORT: port(8025).describe('API, dashboard and inbox.'),
  SUBMISSION_PORT: port(4650).describe('SMTP submission with implicit TLS.'),
  SUBMISSION_CONNECTIONS: count(2000).describe('SMTP submission connections at once.'),
  SUBMISSION_CONNECTIONS_PER_ADDRESS: count(1500).describe(
    'Of these, from one IPv4 address or one IPv6 /64.',
  ),
  SUBMISSION_CONNECTIONS_PER_ACCOUNT: count(1500).describe('Of these, logged in for one account.'),
  TLS_CERT_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('Certificate chain of the SMTP doors, PEM; without it the own CA of the instance signs one.'),
  TLS_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('Its private key, PEM. Both are read anew when they change.'),
  MX_PORT: port(2525).describe('The MX.'),
  MX_CONNECTIONS: count(1000).describe(
    'MX connections at once; beyond, the one that has been idle for the longest gives way.',
  ),
  MX_CONNECTIONS_PER_ADDRESS: count(100).describe('Of these, from one IPv4 address or one IPv6 /64.'),
  MX_CONNECTIONS_PER_MINUTE: count(300).describe(
    'New MX connections in a minute from one IPv4 address or one IPv6 /64; this machine is not counted.',
  ),
  MX_MESSAGES_PER_MINUTE: count(6000).describe(
    'Messages in a minute from one IPv4 address or one IPv6 /64; this machine is not counted.',
  ),
  MX_UNKNOWN_RECIPIENTS: count(20).describe(
    'Recipients that do not exist, after which an MX connection is closed; the answers slow down before that.',
  ),
  MX_GREETING_DELAY_MS: milliseconds(50).describe(
    'How long an MX client has to keep silent before it is greeted: one that does not is no mail server.',
  ),
  MX_SESSION_MS: milliseconds(2 * 3_600_000).describe(
    'How long an MX connection may last; a message under way is still taken.',
  ),
  MX_BLOCK_LISTS: z
    .string()
    .transform((text) => parseBlockLists(text))
    .refine((lists) => lists !== undefined, BLOCK_LISTS)
    .optional()
    .describe(
      'DNS block lists of addresses that may not send here, comma-separated: zone, label:zone where the zone holds a key, zone=2-11;20 where only some answers 127.0.0.x count. None by default.',
    ),
  MX_BLOCK_LIST_HELP: z
    .string()
    .regex(/^[!-~]{1,200}$/, 'a URL or an address')
    .optional()
    .describe('Where a refused host is sent for help; postmaster@ the service domain if unset.'),
  MX_SPOOL_MEMORY: count(64 * 1_048_576).describe(
    'Octets of memory for messages that are arriving; half of them for one IPv4 address or one IPv6 /64.',
  ),
  MX_SPOOL_DISK: count(4096 * 1_048_576).describe(
    'Octets of disk for messages that are arriving; half of them for one IPv4 address or one IPv6 /64.',
  ),
  FORWARD_WAIT_MS: milliseconds(30_000).describe(
    'How long a sender waits in the session for what the destination says; then the forward is promised.',
  ),
  ARC_SEAL: flag(true).describe('Whether forwards get an ARC set (RFC 8617): on or off.'),
  ARC_TRUSTED_SEALERS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .toLowerCase()
        .split(',')
        .map((domain) => domain.trim())
        .filter((domain) => domain !== ''),
    )
    .describe('Forwarders whose ARC seals are believed: domains (d=), comma-separated. None by default.'),
  HISTORY_DAYS: z.coerce
    .number('a number of days, 1 to 400')
    .int()
    .min(1)
    .max(400)
    .default(31)
    .describe('Whole days that events are kept for analytics, the activity log and timelines.'),
  WEBHOOKS_HTTP: flag(true).describe(
    'Whether webhooks may have http: URLs, which lead to this machine alone: on or off.',
  ),
  OPERATOR_ADDRESS: z
    .email('an e-mail address')
    .optional()
    .describe("Who gets mail for postmaster@ and abuse@ of the service's own names."),
  POLICY_PORT: port(0).describe(
    'MTA-STS policies over HTTPS; senders ask at port 443, which has to lead here. 0 takes any free port.',
  ),
  POLICY_CERTS: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder with the certificates of policy hosts: <host>/fullchain.pem and <host>/privkey.pem, or <host>.crt and <host>.key. A host without one shows that of POSTHORN_TLS_CERT_FILE.',
    ),
  DNS_PORT: port(5300).describe('Authoritative DNS, UDP and TCP.'),
  WORKERS_PORT: port(8787).describe("HTTP for Workers' fetch(), and /cdn-cgi/handler/email."),
  WORKER: z
    .string()
    .transform((list) =>
      list
        .split(delimiter)
        .filter((folder) => folder !== '')
        .map((folder) => resolve(folder)),
    )
    .default([])
    .describe(
      `Folders of Workers that are bundled, run and watched, separated by "${delimiter}"; the first is http://localhost at the port of Workers.`,
    ),
  WORKERS_HOST: z
    .string()
    .regex(WORKERS_NAME, 'localhost, or a domain name in lower case')
    .default('localhost')
    .describe('Below it each Worker has a host name of its own: <worker>.<subdomain>.<this>.'),
  WORKERS_CPU_MS: count(30_000).describe(
    'Computing time after which a Worker that does not let go of the processor is ended.',
  ),
  WORKERS_MEMORY_MB: count(128).describe('MiB of the JavaScript heap of each Worker.'),
  WORKERS_PROCESSES: count(64).describe('Workers at work at once; an idle one makes room for another.'),
  WORKERS_IDLE_MS: milliseconds(5 * 60_000).describe(
    "How long a Worker's process stays that has nothing to do.",
  ),
  ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .toLowerCase()
        .split(',')
        .map((host) => host.trim())
        .filter(Boolean),
    )
    .describe('Further Host values, comma-separated, that the HTTP door answers besides loopback.'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'a URL such as https://mail.example.com' })
    .refine((url) => new URL(url).pathname === '/', 'scheme, host and port alone')
    .transform((url) => new URL(url).origin)
    .optional()
    .describe(
      'Where people reach the HTTP door, for links in mail; with https: sessions have cookies that no other scheme gets. Loopback if unset.',
    ),
  DASHBOARD: z
    .string()
    .min(1)
    .transform((path) => resolve(path))
    .optional()
    .describe('Folder of the built dashboard; dashboard/dist of the source if unset.'),
  MASTER_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('32 random bytes, base64; made in the data folder if absent.'),
  OPERATOR_TOKEN_FILE: z
    .string()
    .min(1)
    .optional()
    .describe("The token of the operator's API and command line; made in the data folder if absent."),
  SEND_WAIT_MS: milliseconds(10_000).describe(
    'How long a send waits for the first verdict of each recipient.',
  ),
  RETRY_MS: z
    .string()
    .regex(/^\d+(,\d+)*$/, 'milliseconds, comma-separated')
    .default('1000,3000,10000')
    .transform((list) => list.split(',').map(Number))
    .describe('Delays before the second, third … attempt; the last one repeats. Each is jittered.'),
  EXPIRE_MS: milliseconds(5 * 60_000).describe('A delivery that has not settled by then fails.'),
  SMTP_TIMEOUT_MS: milliseconds(10 * 60_000).describe(
    'The most that delivery waits for any one step of a dialogue; RFC 5321 §4.5.3.2 has the waits that it cuts short.',
  ),
  EHLO_NAME: z
    .string()
    .regex(DOMAIN, 'a host name in lower case')
    .optional()
    .describe(
      'What delivery calls itself; the PTR record of its address should say the same. The service domain if unset.',
    ),
  SOURCE_IPV4: z
    .ipv4('an IPv4 address of this machine')
    .optional()
    .describe('Where deliveries over IPv4 leave from.'),
  SOURCE_IPV6: z
    .ipv6('an IPv6 address of this machine')
    .optional()
    .describe('Where deliveries over IPv6 leave from.'),
  PRIVATE_DESTINATIONS: z
    .enum(['refuse', 'deliver'])
    .default('refuse')
    .describe(
      'What becomes of mail whose MX lies in private address space: refuse keeps DNS from leading inside.',
    ),
  CONNECTIONS_PER_DESTINATION: count(20).describe('Delivery connections at once to one set of MX hosts.'),
  MESSAGES_PER_CONNECTION: count(1000).describe('After so many a delivery connection is closed.'),
  DESTINATION_LIMITS: z
    .string()
    .transform((text) => parseDestinationLimits(text))
    .refine(
      (limits) => limits !== undefined,
      'JSON such as {"google.com": {"connections": 10, "messagesPerConnection": 50, "messagesPerSecond": 5}}',
    )
    .optional()
    .describe(
      'Limits of single destinations, by MX host or a domain above it; they come before the built-in table.',
    ),
  SMARTHOST: z
    .string()
    .transform((text) => parseSmarthostUrl(text))
    .refine((setting) => setting !== undefined, SMARTHOST_URL)
    .optional()
    .describe(
      'A mail server that takes all mail in place of its MX, where port 25 is blocked: smtps://user@host:465, smtp://user@host:587.',
    ),
  SMARTHOST_PASSWORD_FILE: z
    .string()
    .min(1)
    .optional()
    .describe("Its password, in place of one in the URL, which others may see in the process's environment."),
  SMARTHOST_SPF: z
    .string()
    .transform((list) => list.split(',').map((mechanism) => mechanism.trim()))
    .refine(
      (list) => list.every((mechanism) => SPF_MECHANISM.test(mechanism)),
      'SPF mechanisms, comma-separated, such as include:spf.provider.example',
    )
    .optional()
    .describe("What SPF needs for it, as its provider's manual says; by default its own name (a:host)."),
  DAILY_QUOTA_START: z.coerce
    .number('a number of recipients')
    .int()
    .min(1)
    .optional()
    .describe('Recipients a day (UTC) that a new account may send to; any number if unset.'),
  DAILY_QUOTA_GROWTH: z.coerce
    .number('a factor from 1 on')
    .min(1, 'a factor from 1 on')
    .max(10, 'a factor of 10 at most')
    .default(1.5)
    .describe('By what that is multiplied after good days that used half of it or more.'),
  DAILY_QUOTA_CEILING: count(100_000).describe('Where it stops growing; the operator may go beyond.'),
  DAILY_QUOTA_SHRINK: z.coerce
    .number('a factor of 1 at most')
    .gt(0, 'a factor above 0')
    .max(1, 'a factor of 1 at most')
    .default(0.5)
    .describe(
      'By what it is multiplied after days whose hard bounces or complaints were at the rates below or above; 1 keeps it.',
    ),
  DAILY_QUOTA_FLOOR: count(10).describe('Where it stops shrinking.'),
  RATE_PER_ACCOUNT: rate.describe(
    'Recipients that an account may send to in some time: 600/min, and as many at once; any number if unset.',
  ),
  RATE_PER_DOMAIN: rate.describe('The same of each sending domain.'),
  RATE_PER_RECIPIENT: rate.describe('How often an account may write to one recipient: 20/h.'),
  DELIVERY_RATE_LEAST: share(0.95).describe(
    'Share of deliveries that a domain in good standing gets delivered.',
  ),
  HARD_BOUNCE_RATE_MOST: share(0.02).describe('Share of hard bounces from which on it is in trouble.'),
  COMPLAINT_RATE_MOST: share(0.001).describe('Share of complaints from which on it is.'),
  REPUTATION_DAYS: z.coerce
    .number('a number of days from 1 to 31')
    .int()
    .min(1, 'a number of days from 1 to 31')
    .max(31, 'a number of days from 1 to 31')
    .default(7)
    .describe('Days before now that these shares are about.'),
  BODY_RETENTION_MS: milliseconds(3 * 86_400_000).describe('How long a settled message keeps its body.'),
  DKIM_ROTATE_MS: milliseconds(180 * 86_400_000).describe(
    'How long a DKIM key signs before the next takes its place by itself, in zones that are hosted here.',
  ),
  INBOX_LIMIT: z.coerce
    .number('a number of messages')
    .int()
    .min(1)
    .default(10_000)
    .describe('Messages that the inbox keeps; the oldest go first.'),
  DEV_SINK: hostAndPort
    .optional()
    .describe(
      "An SMTP server on loopback that gets the mail in the inbox's place: a benchmark, another mail catcher.",
    ),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('warn'),
})

const schema = variables
  .refine((given) => (given.DAILY_QUOTA_START ?? 1) <= given.DAILY_QUOTA_CEILING, {
    path: ['DAILY_QUOTA_CEILING'],
    message: 'as much as POSTHORN_DAILY_QUOTA_START or more',
  })
  .refine((given) => !given.TLS_CERT_FILE === !given.TLS_KEY_FILE, {
    path: ['TLS_KEY_FILE'],
    message: 'the private key of POSTHORN_TLS_CERT_FILE: both are set, or neither',
  })
  .superRefine(({ SMARTHOST: smarthost, SMARTHOST_PASSWORD_FILE: file }, context) => {
    const wrong = (message: string): void =>
      context.addIssue({ code: 'custom', path: ['SMARTHOST_PASSWORD_FILE'], message })
    if (file === undefined) {
      if (smarthost?.username !== undefined && smarthost.password === undefined)
        wrong(`a file with the password of the user in POSTHORN_SMARTHOST, or the password in the URL`)
    } else if (smarthost?.username === undefined) wrong('a user in POSTHORN_SMARTHOST beside it')
    else if (smarthost.password !== undefined)
      wrong('no file, since POSTHORN_SMARTHOST has a password already')
  })

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Reads every `POSTHORN_…` variable. One that the schema does not know is passed over, but `warn` tells of it: a typing
 *  mistake must not pass for a default in silence, and a variable of a later version must not stop this one. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  warn: (sentence: string) => void,
): Config {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('POSTHORN_') || value === undefined || value === '') continue
    const key = name.slice(9)
    if (OF_CLIENTS.has(name)) continue
    if (Object.hasOwn(variables.shape, key)) given[key] = value
    else warn(`${name} is no setting and changes nothing; known are ${SETTINGS.join(', ')}.`)
  }
  const parsed = schema.safeParse(given)
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(explain).join('\n'))
  return Object.freeze(parsed.data)
}

/** What the command line reads, where it is a client. */
const OF_CLIENTS = new Set(['POSTHORN_API', 'POSTHORN_API_TOKEN'])

const SETTINGS = Object.keys(variables.shape).map((key) => `POSTHORN_${key}`)

function explain(issue: z.core.$ZodIssue): string {
  return `POSTHORN_${issue.path.join('.')}: expected ${issue.message}.`
}
