import { LockSimpleIcon } from '@phosphor-icons/react'
import type { ReactNode } from 'react'
import { Page, Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { useAccount } from '../shell/use-account.ts'

interface AdministratorsOnlyProps {
  /** Of the page. */
  readonly title: string
  /** What a member does not get to see: "its tokens". */
  readonly what: string
  readonly children: ReactNode
}

/** A page of the account's own settings, which its members are refused: it says so before it asks for anything. */
export function AdministratorsOnly({ title, what, children }: AdministratorsOnlyProps) {
  const { name, role } = useAccount()
  if (role === 'admin') return children
  return (
    <Page title={title}>
      <Section title="For administrators">
        <SectionEmpty
          icon={<LockSimpleIcon size={48} />}
          title={`Only administrators of ${name} see ${what}`}
          description="You are a member of this account. Ask one of its administrators for what you need from here, or to make you one."
        />
      </Section>
    </Page>
  )
}
