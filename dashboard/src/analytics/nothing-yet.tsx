import { LinkButton } from '@cloudflare/kumo/components/button'
import { ChartBarIcon } from '@phosphor-icons/react'
import type { MailDirection } from '../parts/mail-status.ts'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { useAccount } from '../shell/use-account.ts'

/** In place of a chart of nothing. */
export function NothingYet({ mail }: { readonly mail: MailDirection }) {
  const { id } = useAccount()
  return mail === 'sending' ? (
    <SectionEmpty
      icon={<ChartBarIcon size={32} className="text-kumo-inactive" />}
      title="No emails in this time range"
      description="Choose a longer range, or send one: it is here about a second later."
      contents={<LinkButton href={`/${id}/sending/test`}>Send a test</LinkButton>}
    />
  ) : (
    <SectionEmpty
      icon={<ChartBarIcon size={32} className="text-kumo-inactive" />}
      title="No emails in this time range"
      description="Choose a longer range, or see whether a routing rule takes the mail of the domain."
      contents={<LinkButton href={`/${id}/routing/domains`}>Go to the domains</LinkButton>}
    />
  )
}
