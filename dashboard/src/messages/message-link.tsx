import { Link } from '@cloudflare/kumo/components/link'
import type { ReactNode } from 'react'

interface MessageLinkProps {
  readonly accountId: string
  /** Of the message, as events name it. */
  readonly id: string
  readonly children: ReactNode
}

/** Leads to the page of another message. */
export function MessageLink({ accountId, id, children }: MessageLinkProps) {
  return <Link href={`/${accountId}/messages/${encodeURIComponent(id)}`}>{children}</Link>
}
