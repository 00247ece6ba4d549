import { LinkButton } from '@cloudflare/kumo/components/button'
import { GlobeIcon } from '@phosphor-icons/react'
import { Page, Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'

/** A page of a sending domain that the account does not have. */
export function NoSuchDomain({ accountId }: { readonly accountId: string }) {
  return (
    <Page title="No such domain">
      <Section title="Domain">
        <SectionEmpty
          icon={<GlobeIcon size={48} aria-hidden />}
          title="There is no such sending domain in this account"
          description="Its address may be wrong, or the domain was removed."
          contents={
            <LinkButton variant="secondary" href={`/${accountId}/sending/domains`}>
              All domains
            </LinkButton>
          }
        />
      </Section>
    </Page>
  )
}
