import { Badge } from '@cloudflare/kumo/components/badge'
import { type MailDirection, statusWords } from './mail-status.ts'

interface StatusBadgeProps {
  readonly status: string
  readonly direction: MailDirection | null
}

/** What became of mail, in a word. */
export function StatusBadge({ status, direction }: StatusBadgeProps) {
  const { label, tone } = statusWords(status, direction)
  return (
    <Badge variant={tone === 'neutral' ? 'secondary' : tone} className="whitespace-nowrap">
      {label}
    </Badge>
  )
}
