import { Banner } from '@cloudflare/kumo/components/banner'
import { EnvelopeSimpleIcon } from '@phosphor-icons/react'
import type { InvitedMemberBody } from '#contract/members.ts'
import { CodeText } from '../parts/code-text.tsx'
import { Section } from '../parts/page.tsx'

/** What becomes of an invitation: it is mailed, or else its link is shown, once. */
export function InvitationLink({ invited }: { readonly invited: InvitedMemberBody }) {
  const { invitation_url: url, user } = invited
  return url === null ? (
    <Banner role="status" variant="default" className="mb-6" icon={<EnvelopeSimpleIcon weight="fill" />}>
      The invitation is on its way to {user.email}. Its link works once, for seven days.
    </Banner>
  ) : (
    <Section
      title={`Hand this link to ${user.email}`}
      lead="This installation cannot send mail. The link works once, for seven days, and is not shown again; whoever has it can accept."
    >
      <CodeText text={url} what="the link of the invitation" />
    </Section>
  )
}
