import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Table } from '@cloudflare/kumo/components/table'
import { useState } from 'react'
import type { DkimKeyBody } from '#contract/onboarding-records.ts'
import { ask, withQuery } from '../api/ask.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { routingPath } from './routing-paths.ts'

interface DkimKeysProps {
  readonly zoneId: string
  readonly domain: string
}

const STATES = {
  publishing: ['warning', 'Waiting to be seen in DNS'],
  active: ['success', 'Signs'],
  retiring: ['info', 'Kept for what it signed'],
  retired: ['secondary', 'Gone'],
} as const satisfies Record<
  DkimKeyBody['state'],
  readonly ['warning' | 'success' | 'info' | 'secondary', string]
>

/** The keys with which forwarded mail of a domain is signed. */
export function DkimKeys({ zoneId, domain }: DkimKeysProps) {
  const path = withQuery(routingPath(zoneId, 'dkim'), { subdomain: domain })
  const keys = useAsk<readonly DkimKeyBody[]>(path)
  const [isAsked, setAsked] = useState(false)
  const rotate = useAct(
    () =>
      ask(withQuery(routingPath(zoneId, 'dkim/rotate'), { subdomain: domain }), { method: 'POST', body: {} }),
    [routingPath(zoneId)],
  )
  return (
    <Section
      title="DKIM keys"
      lead="Forwarded mail is signed with the key that signs. A new one takes its place once it was seen in DNS."
      actions={<Button onClick={() => setAsked(true)}>Rotate key</Button>}
    >
      <Asked of={keys} skeleton={<RowsSkeleton rows={1} />}>
        {(all) => (
          <TableBox label="DKIM keys">
            <Table>
              <Table.Header>
                <Table.Row>
                  <Table.Head>Selector</Table.Head>
                  <Table.Head>State</Table.Head>
                  <Table.Head>Since</Table.Head>
                </Table.Row>
              </Table.Header>
              <Table.Body>
                {all.map(({ selector, state, modified }) => (
                  <Table.Row key={selector}>
                    <Table.Cell className="font-mono text-sm">{selector}</Table.Cell>
                    <Table.Cell>
                      <Badge variant={STATES[state][0]}>{STATES[state][1]}</Badge>
                    </Table.Cell>
                    <Table.Cell>
                      <Moment at={modified} />
                    </Table.Cell>
                  </Table.Row>
                ))}
              </Table.Body>
            </Table>
          </TableBox>
        )}
      </Asked>
      <ConfirmDialog
        open={isAsked}
        onOpenChange={setAsked}
        title={`Rotate the DKIM key of ${domain}?`}
        action="Rotate key"
        onConfirm={() => rotate.mutateAsync(undefined)}
      >
        A new key is made and published. The present one signs until the new one was seen in DNS, and stays
        there for the mail that it signed.
      </ConfirmDialog>
    </Section>
  )
}
