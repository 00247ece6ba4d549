import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Table } from '@cloudflare/kumo/components/table'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { SessionEntry } from '#contract/session.ts'
import { ask } from '../api/ask.ts'
import { useSession } from '../api/session.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { ChangePassword } from './change-password.tsx'
import { programName } from './program-name.ts'

const SESSIONS = '/session/v1/sessions'

/** Of the person who is signed in: their password, and where else they are. */
export function ProfilePage() {
  const { user } = useSession()
  const sessions = useAsk<readonly SessionEntry[]>(SESSIONS)
  const client = useQueryClient()
  const navigate = useNavigate()
  const [isLeaving, setLeaving] = useState(false)
  async function signOutEverywhere() {
    await ask('/session/v1/sign-out-everywhere', { method: 'POST', body: {} })
    client.clear()
    await navigate({ to: '/sign-in' })
  }
  return (
    <Page title="Password and sessions" lead={user?.email}>
      <Section title="Password" lead="Changing it signs you out everywhere else.">
        <ChangePassword />
      </Section>
      <Section
        title="Sessions"
        lead="Where you are signed in. End what you do not know, then change your password."
        actions={
          <Button variant="secondary-destructive" onClick={() => setLeaving(true)}>
            Sign out everywhere
          </Button>
        }
      >
        <Asked of={sessions}>{(sessions) => <Sessions sessions={sessions} />}</Asked>
      </Section>
      <ConfirmDialog
        open={isLeaving}
        onOpenChange={setLeaving}
        title="Sign out everywhere?"
        action="Sign out everywhere"
        onConfirm={signOutEverywhere}
      >
        All your sessions end at once, this one too. API tokens go on working.
      </ConfirmDialog>
    </Page>
  )
}

function Sessions({ sessions }: { readonly sessions: readonly SessionEntry[] }) {
  const end = useAct((id: string) => ask(`${SESSIONS}/${id}`, { method: 'DELETE' }), [SESSIONS])
  return (
    <TableBox label="Sessions">
      <Table>
        <Table.Header>
          <Table.Row>
            <Table.Head>Program</Table.Head>
            <Table.Head>Address</Table.Head>
            <Table.Head>Last used</Table.Head>
            <Table.Head>Signed in</Table.Head>
            <Table.Head>
              <span className="sr-only">Actions</span>
            </Table.Head>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {sessions.map(({ id, current, user_agent, address, last_used_at, created_at }) => (
            <Table.Row key={id}>
              <Table.Cell>
                <span title={user_agent}>{programName(user_agent)}</span>
              </Table.Cell>
              <Table.Cell>{address}</Table.Cell>
              <Table.Cell>
                <Moment at={last_used_at} ago />
              </Table.Cell>
              <Table.Cell>
                <Moment at={created_at} />
              </Table.Cell>
              <Table.Cell>
                {current ? (
                  <Badge variant="success">This one</Badge>
                ) : (
                  <Button
                    size="sm"
                    loading={end.variables === id && end.isPending}
                    onClick={() => end.mutate(id)}
                  >
                    End
                  </Button>
                )}
              </Table.Cell>
            </Table.Row>
          ))}
        </Table.Body>
      </Table>
    </TableBox>
  )
}
