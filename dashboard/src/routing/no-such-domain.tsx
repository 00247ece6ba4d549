import { LinkButton } from '@cloudflare/kumo/components/button'
import { PathIcon } from '@phosphor-icons/react'
import { Page, Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { useAccount } from '../shell/use-account.ts'

/** A page of a zone that the account does not have. */
export function NoSuchDomain() {
  const { id } = useAccount()
  return (
    <Page title="No such domain">
      <Section title="Domain">
        <SectionEmpty
          icon={<PathIcon size={48} />}
          title="There is no such domain in this account"
          description="Its address may be wrong, or the domain was removed."
          contents={
            <LinkButton variant="secondary" href={`/${id}/routing/domains`}>
              All domains
            </LinkButton>
          }
        />
      </Section>
    </Page>
  )
}
