import { ROUTING_SELECTOR, returnPathDomain, SENDING_SELECTOR, type ServiceNames } from '#model/service.ts'

/** The two services a domain is onboarded to, each with its own records, selector and key. */
export type MailService = 'sending' | 'routing'

/** A record that onboarding expects in DNS (config-domains.md). */
export interface ExpectedRecord {
  readonly name: string
  readonly type: 'MX' | 'TXT'
  readonly content: string
  readonly priority: number | null
  /** Managed by the service and not editable. */
  readonly locked: boolean
}

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

/** What DNS must hold for `domain` to use `mail`. The DMARC record is a default: where the domain has one of its own,
 *  that one counts. */
export function expectedRecords(
  mail: MailService,
  domain: string,
  { service, publicKey }: { readonly service: ServiceNames; readonly publicKey: string },
): ExpectedRecord[] {
  const host = mail === 'sending' ? returnPathDomain(domain) : domain
  const txt = (name: string, content: string): ExpectedRecord => ({
    name,
    type: 'TXT',
    content,
    priority: null,
    locked: true,
  })
  const records = [
    ...service.routes.map(
      (content, i): ExpectedRecord => ({
        name: host,
        type: 'MX',
        content,
        priority: MX_PREFERENCES[i] ?? 0,
        locked: true,
      }),
    ),
    txt(host, spfInclude(service)),
    txt(`${SELECTOR[mail]}._domainkey.${domain}`, dkimText(publicKey)),
  ]
  // Not locked: its owner is meant to choose the policy (config-domains.md, policy options).
  return mail === 'sending'
    ? [...records, { ...txt(dmarcName(domain), 'v=DMARC1; p=reject;'), locked: false }]
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

/** RFC 7208 §4.5: an SPF record is `v=spf1` alone or before a space. */
export function isSpf(record: { readonly type: string; readonly content: string }): boolean {
  return record.type === 'TXT' && /^v=spf1( |$)/i.test(record.content)
}
