import { ROUTING_SELECTOR, returnPathDomain, SENDING_SELECTOR, type ServiceNames } from '#model/service.ts'
import { isSpfText } from '#protocol/spf-record.ts'

/** The two services a domain is onboarded to, each with its own records, selector and key. */
export type MailService = 'sending' | 'routing'

/** A record that onboarding expects in DNS (config-domains.md). */
export interface ExpectedRecord {
  readonly role: 'mx' | 'spf' | 'dkim' | 'dmarc' | 'sts' | 'sts-host'
  readonly name: string
  readonly type: 'MX' | 'TXT' | 'CNAME'
  /** Empty for the DKIM record of a key that is not made yet. */
  readonly content: string
  readonly priority: number | null
  /** Managed by the service and not editable. */
  readonly locked: boolean
  /** Of a key that does not sign yet: nothing depends on it. */
  readonly next?: true
  /** What does as well: a CNAME to a record of the service's own, which announces the policy of this id. */
  readonly instead?: { readonly alias: string; readonly id: string }
}

/** The selector of a domain's first key; those after it are numbered. */
export const SELECTOR = { sending: SENDING_SELECTOR, routing: ROUTING_SELECTOR } as const satisfies Record<
  MailService,
  string
>

/** "Priority: assigned automatically": the three of the original's own example (reference-postmaster.md), in order. */
export const MX_PREFERENCES = [13, 24, 86] as const

export function spfInclude(service: ServiceNames): string {
  return `v=spf1 include:${service.spf} ~all`
}

/** `publicKey` is an RSA SubjectPublicKeyInfo in base64 (RFC 6376 §3.6.1). */
export function dkimText(publicKey: string): string {
  return `v=DKIM1; h=sha256; k=rsa; p=${publicKey}`
}

export function dkimName(selector: string, domain: string): string {
  return `${selector}._domainkey.${domain}`
}

/** A key as its record shows it. */
export interface PublishedKey {
  readonly selector: string
  /** Undefined where it is not made yet. */
  readonly publicKey: string | undefined
  /** It does not sign yet. */
  readonly next?: boolean
}

/** What DNS must hold for `domain` to use `mail`. The SPF record stands for any that includes the service's, the DMARC
 *  record is a default: where the domain has one of its own, that one counts. */
export function expectedRecords(
  mail: MailService,
  domain: string,
  { service, keys }: { readonly service: ServiceNames; readonly keys: readonly PublishedKey[] },
): ExpectedRecord[] {
  const host = mail === 'sending' ? returnPathDomain(domain) : domain
  const txt = (role: 'spf' | 'dkim' | 'dmarc', name: string, content: string): ExpectedRecord => ({
    role,
    name,
    type: 'TXT',
    content,
    priority: null,
    locked: true,
  })
  const records = [
    ...service.routes.map(
      (content, i): ExpectedRecord => ({
        role: 'mx',
        name: host,
        type: 'MX',
        content,
        priority: MX_PREFERENCES[i] ?? 0,
        locked: true,
      }),
    ),
    txt('spf', host, spfInclude(service)),
    ...keys.map(
      ({ selector, publicKey, next }): ExpectedRecord => ({
        ...txt('dkim', dkimName(selector, domain), publicKey === undefined ? '' : dkimText(publicKey)),
        ...(next && { next }),
      }),
    ),
  ]
  // Not locked: its owner is meant to choose the policy (config-domains.md, policy options).
  return mail === 'sending'
    ? [...records, { ...txt('dmarc', dmarcName(domain), 'v=DMARC1; p=reject;'), locked: false }]
    : records
}

export function dmarcName(domain: string): string {
  return `_dmarc.${domain}`
}

/** RFC 7489 §6.3: a DMARC record begins with its version. */
export function isDmarc(record: { readonly name: string; readonly type: string; readonly content: string }) {
  return (
    record.type === 'TXT' &&
    record.name.startsWith('_dmarc.') &&
    /^v\s*=\s*DMARC1\s*(;|$)/.test(record.content)
  )
}

/** Of a record of a zone. */
export function isSpf(record: { readonly type: string; readonly content: string }): boolean {
  return record.type === 'TXT' && isSpfText(record.content)
}

/** The key in a DKIM record (RFC 6376 §3.6.1), its white space taken out; undefined where it has none, the empty text
 *  where it is revoked. */
export function dkimKeyIn(content: string): string | undefined {
  return /(?:^|;)\s*p\s*=([^;]*)/.exec(content)?.[1]?.replaceAll(/\s/g, '')
}
