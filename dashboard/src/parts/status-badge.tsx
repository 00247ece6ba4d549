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
    <Badge
      variant={tone === 'neutral' ? 'secondary' : tone}
      // The library's own words on yellow are too faint (WCAG 1.4.3).
      className={tone === 'warning' ? 'whitespace-nowrap text-kumo-default' : 'whitespace-nowrap'}
    >
      {label}
    </Badge>
  )
}
