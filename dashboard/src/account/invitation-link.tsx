import type { InvitedMemberBody } from '#contract/members.ts'
import { CodeText } from '../parts/code-text.tsx'
import { Section } from '../parts/page.tsx'

/** Shown once, for whom the mail does not reach. */
export function InvitationLink({ invited }: { readonly invited: InvitedMemberBody }) {
  return (
    <Section
      title="The invitation is on its way"
      lead={`${invited.user.email} gets it by mail. You may also hand over this link; it is not shown again.`}
    >
      <CodeText text={invited.invitation_url} what="the link of the invitation" />
    </Section>
  )
}
