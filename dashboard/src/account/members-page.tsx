import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Select } from '@cloudflare/kumo/components/select'
import { useState } from 'react'
import type { InvitedMemberBody, MemberBody, RoleBody } from '#contract/members.ts'
import { accountPath, ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useSession } from '../api/session.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { FoldingTable } from '../parts/folding-table.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { useAccount } from '../shell/use-account.ts'
import { AdministratorsOnly } from './administrators-only.tsx'
import { InvitationLink } from './invitation-link.tsx'
import { InviteMember } from './invite-member.tsx'

/** Who may sign in and act in the account, and who is invited. */
export function MembersPage() {
  return (
    <AdministratorsOnly title="Members" what="who its members are">
      <MembersOfAccount />
    </AdministratorsOnly>
  )
}

function MembersOfAccount() {
  const account = useAccount()
  const path = accountPath(account.id, 'members')
  const members = useAsk<readonly MemberBody[]>(`${path}?per_page=1000`)
  const roles = useAsk<readonly RoleBody[]>(accountPath(account.id, 'roles'))
  const [isInviting, setInviting] = useState(false)
  const [invited, setInvited] = useState<InvitedMemberBody>()
  return (
    <Page
      title="Members"
      lead="People who sign in to this account. Administrators may do everything; members may not change members, tokens and the account itself."
      actions={
        <Button variant="primary" onClick={() => setInviting(true)}>
          Invite a member
        </Button>
      }
    >
      {invited && <InvitationLink invited={invited} />}
      <Section title="Everybody">
        <Asked of={members}>
          {(members) => <Members members={members} roles={roles.data ?? []} path={path} />}
        </Asked>
      </Section>
      <InviteMember
        open={isInviting}
        onOpenChange={setInviting}
        path={path}
        roles={roles.data ?? []}
        onInvited={setInvited}
      />
    </Page>
  )
}

interface MembersProps {
  readonly members: readonly MemberBody[]
  readonly roles: readonly RoleBody[]
  readonly path: string
}

function Members({ members, roles, path }: MembersProps) {
  const { user: viewer } = useSession()
  const [leaving, setLeaving] = useState<MemberBody>()
  const administrators = members.filter(isAdministrator)
  /** One remains, in any case. */
  const mayNotLeave = ({ user }: MemberBody) =>
    user.id === viewer?.id && administrators.length === 1 && administrators[0]?.user.id === user.id
  const remove = useAct((id: string) => ask(`${path}/${id}`, { method: 'DELETE' }), [path])
  const change = useAct(
    ({ id, role }: { readonly id: string; readonly role: string }) =>
      ask(`${path}/${id}`, { method: 'PUT', body: { roles: [{ id: role }] } }),
    [path],
  )
  return (
    <>
      {change.error && <ProblemNote className="mb-4">{problemText(change.error)}</ProblemNote>}
      <FoldingTable
        label="Members"
        rows={members}
        rowKey={({ id }) => id}
        columns={[
          { head: 'Email', renderCell: ({ user }) => user.email },
          {
            head: 'Role',
            renderCell: ({ id, user, status, roles: [role] }) =>
              status === 'accepted' ? (
                <Select
                  aria-label={`Role of ${user.email}`}
                  size="sm"
                  value={role?.id ?? ''}
                  items={Object.fromEntries(roles.map(({ id, name }) => [id, name]))}
                  onValueChange={(role) => role !== null && change.mutate({ id, role })}
                />
              ) : (
                role?.name
              ),
          },
          { head: 'State', renderCell: (member) => <MemberState member={member} /> },
          { head: 'Added', renderCell: ({ created_on: at }) => <Moment at={at} ago /> },
          {
            head: 'Actions',
            isActions: true,
            renderCell: (member) =>
              mayNotLeave(member) ? null : (
                <Button
                  size="sm"
                  variant="secondary-destructive"
                  aria-label={`${member.status === 'accepted' ? 'Remove' : 'Take back the invitation of'} ${member.user.email}`}
                  onClick={() => setLeaving(member)}
                >
                  {member.status === 'accepted' ? 'Remove' : 'Take back'}
                </Button>
              ),
          },
        ]}
      />
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={
          leaving?.status === 'pending'
            ? `Take back the invitation of ${leaving.user.email}?`
            : `Remove ${leaving?.user.email} from this account?`
        }
        action={leaving?.status === 'pending' ? 'Take back the invitation' : 'Remove the member'}
        onConfirm={() => remove.mutateAsync(leaving?.id ?? '')}
      >
        {leaving?.status === 'pending'
          ? 'Its link stops working.'
          : 'They can no longer sign in to this account, and their own API tokens no longer work in it. They can be invited again.'}
      </ConfirmDialog>
    </>
  )
}

function isAdministrator({ status, roles }: MemberBody): boolean {
  return status === 'accepted' && roles.some(({ name }) => name === 'Administrator')
}

function MemberState({ member: { status, expires_on: end } }: { readonly member: MemberBody }) {
  if (status === 'accepted') return <Badge variant="success">Active</Badge>
  return (
    <span className="flex flex-wrap items-center gap-2">
      <Badge variant="warning">Invited</Badge>
      {end !== null && (
        <span className="text-kumo-subtle">
          ends <Moment at={end} ago />
        </span>
      )}
    </span>
  )
}
