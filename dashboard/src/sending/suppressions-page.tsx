import { Button } from '@cloudflare/kumo/components/button'
import { DropdownMenu } from '@cloudflare/kumo/components/dropdown'
import { DownloadSimpleIcon, PlusIcon, UploadSimpleIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { accountPath, withQuery } from '../api/ask.ts'
import { Page, Section } from '../parts/page.tsx'
import { AddSuppression } from './add-suppression.tsx'
import { ImportSuppressions } from './import-suppressions.tsx'
import { suppressionsRoute } from './routes.ts'
import { SuppressionFilters } from './suppression-filters.tsx'
import { SuppressionList } from './suppression-list.tsx'
import { suppressionQuery } from './suppression-query.ts'
import { SuppressionReasons } from './suppression-reasons-section.tsx'

export function SuppressionsPage() {
  const { accountId } = suppressionsRoute.useParams()
  const filters = suppressionsRoute.useSearch()
  const [open, setOpen] = useState<'add' | 'import'>()
  const path = accountPath(accountId, 'email/sending/suppressions')
  const exported = (format: 'csv' | 'json') =>
    withQuery(`${path}/export`, { ...suppressionQuery(filters), format })
  return (
    <Page
      title="Suppressions"
      lead="Addresses that are not mailed, whoever asks for it."
      actions={
        <>
          <DropdownMenu>
            <DropdownMenu.Trigger
              render={<Button icon={<DownloadSimpleIcon aria-hidden />}>Export</Button>}
            />
            <DropdownMenu.Content>
              <DropdownMenu.LinkItem href={exported('csv')} download>
                As CSV
              </DropdownMenu.LinkItem>
              <DropdownMenu.LinkItem href={exported('json')} download>
                As JSON
              </DropdownMenu.LinkItem>
            </DropdownMenu.Content>
          </DropdownMenu>
          <Button icon={<UploadSimpleIcon aria-hidden />} onClick={() => setOpen('import')}>
            Import
          </Button>
          <Button variant="primary" icon={<PlusIcon aria-hidden />} onClick={() => setOpen('add')}>
            Add address
          </Button>
        </>
      }
    >
      <Section title="Suppressed addresses">
        <SuppressionFilters accountId={accountId} />
        <SuppressionList path={path} filters={filters} onAdd={() => setOpen('add')} />
      </Section>
      <SuppressionReasons />
      {open === 'add' && (
        <AddSuppression accountId={accountId} path={path} onClose={() => setOpen(undefined)} />
      )}
      {open === 'import' && <ImportSuppressions path={path} onClose={() => setOpen(undefined)} />}
    </Page>
  )
}
