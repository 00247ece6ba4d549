const WRITTEN = { dns: 'DNS', tls: 'TLS' } as const

/** "Recipient unknown" for `recipient-unknown`. */
export function causeText(cause: string): string {
  if (cause === 'dns' || cause === 'tls') return WRITTEN[cause]
  const text = cause.replaceAll(/[-_]/g, ' ').replaceAll(/\bdns\b/g, 'DNS')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
