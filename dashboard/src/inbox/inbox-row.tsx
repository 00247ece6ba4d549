import { Checkbox } from '@cloudflare/kumo/components/checkbox'
import { PaperclipIcon } from '@phosphor-icons/react'
import { Link } from '@tanstack/react-router'
import { Moment } from '../parts/moment.tsx'
import { type InboxSummary, mailboxText } from './inbox-message.ts'

interface InboxRowProps {
  readonly message: InboxSummary
  readonly isSelected: boolean
  readonly onSelect: (isSelected: boolean) => void
}

export function InboxRow({ message, isSelected, onSelect }: InboxRowProps) {
  const { ID, Subject, From, Envelope, Snippet, Created, Attachments, Read } = message
  const subject = Subject || '(no subject)'
  return (
    <li className="flex items-start gap-3 px-4 py-3 hover:bg-kumo-tint">
      <Checkbox aria-label={`Select ${subject}`} checked={isSelected} onCheckedChange={onSelect} />
      <Link
        to="/inbox/$id"
        params={{ id: ID }}
        className="grid min-w-0 flex-1 gap-x-4 md:grid-cols-[14rem_1fr_auto]"
      >
        <span className="min-w-0">
          <span className={`block truncate ${Read ? '' : 'font-semibold'}`}>{mailboxText(From)}</span>
          <span className="block truncate text-sm text-kumo-subtle">to {Envelope.To.join(', ')}</span>
        </span>
        <span className="min-w-0">
          <span className={`block truncate ${Read ? '' : 'font-semibold'}`}>
            {subject}
            {Attachments > 0 && (
              <PaperclipIcon className="ml-2 inline" aria-label={`${Attachments} attached`} role="img" />
            )}
          </span>
          <span className="block truncate text-sm text-kumo-subtle">{Snippet}</span>
        </span>
        <span className="text-sm text-kumo-subtle">
          <Moment at={Created} ago />
        </span>
      </Link>
    </li>
  )
}
