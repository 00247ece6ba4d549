import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { DropdownMenu } from '@cloudflare/kumo/components/dropdown'
import { Input } from '@cloudflare/kumo/components/input'
import { Pagination } from '@cloudflare/kumo/components/pagination'
import { DotsThreeIcon, KeyIcon } from '@phosphor-icons/react'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import type { TokenBody } from '#contract/tokens.ts'
import { accountPath, ask } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { type Column, FoldingTable } from '../parts/folding-table.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { useAccount } from '../shell/use-account.ts'
import { AdministratorsOnly } from './administrators-only.tsx'
import { CreateToken } from './create-token.tsx'
import { type MadeSecret, NewSecret } from './new-secret.tsx'

const route = getRouteApi('/signed-in/$accountId/account/tokens')
/** So many that one looks for a name rather than down the list. */
const MANY = 10
const PER_PAGE = 50

const STATES = {
  active: { variant: 'success', label: 'Active' },
  disabled: { variant: 'secondary', label: 'Disabled' },
  expired: { variant: 'warning', label: 'Expired' },
} as const satisfies Record<TokenBody['status'], object>

/** The account's API tokens: what programs sign in with, over HTTP and as the password of SMTP. */
export function TokensPage() {
  return (
    <AdministratorsOnly title="API tokens" what="its tokens">
      <TokensOfAccount />
    </AdministratorsOnly>
  )
}

function TokensOfAccount() {
  const account = useAccount()
  const path = accountPath(account.id, 'tokens')
  const tokens = useEveryPage<TokenBody>(`${path}?include_expired=true`)
  const [isCreating, setCreating] = useState(false)
  const [made, setMade] = useState<MadeSecret>()
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      Create token
    </Button>
  )
  return (
    <Page
      title="API tokens"
      lead="Programs send them as “Authorization: Bearer …”, and as the password of SMTP. Give each no more than it needs."
      actions={create}
    >
      {made && <NewSecret made={made} />}
      <Section title="Tokens of this account">
        <Asked of={tokens}>
          {(tokens) =>
            tokens.length === 0 ? (
              <SectionEmpty
                icon={<KeyIcon size={48} />}
                title="There is no token yet"
                description="Create one for each program that sends or manages mail."
                contents={create}
              />
            ) : (
              <FoundTokens tokens={tokens} path={path} onRolled={setMade} />
            )
          }
        </Asked>
      </Section>
      <CreateToken open={isCreating} onOpenChange={setCreating} path={path} onMade={setMade} />
    </Page>
  )
}

const COLUMNS: readonly Column<TokenBody>[] = [
  {
    head: 'Name',
    // A name may be one long word, which leaves the other columns their place.
    renderCell: ({ name }) => <span className="block max-w-80 min-w-32 wrap-anywhere">{name}</span>,
    className: 'font-medium',
  },
  { head: 'Permissions', renderCell: (token) => <Permissions token={token} /> },
  {
    head: 'State',
    renderCell: ({ status }) => <Badge variant={STATES[status].variant}>{STATES[status].label}</Badge>,
  },
  { head: 'Created', renderCell: ({ issued_on: at }) => <Moment at={at} /> },
  { head: 'Expires', renderCell: ({ expires_on: at }) => (at ? <Moment at={at} /> : 'Never') },
]

interface TokensProps {
  readonly tokens: readonly TokenBody[]
  readonly path: string
  readonly onRolled: (made: MadeSecret) => void
}

function FoundTokens({ tokens, ...others }: TokensProps) {
  const { name: part = '', page: asked = 1 } = route.useSearch()
  const navigate = route.useNavigate()
  const [written, setWritten] = useState(part)
  const found = tokens.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()))
  const page = Math.min(asked, Math.max(1, Math.ceil(found.length / PER_PAGE)))
  return (
    <>
      {(tokens.length > MANY || part !== '') && (
        <Input
          className="mb-4 w-full max-w-sm"
          type="search"
          aria-label="Search tokens"
          placeholder="Search tokens"
          value={written}
          onChange={({ target: { value } }) => {
            setWritten(value)
            // A change begins at the first page again.
            void navigate({ search: value.trim() === '' ? {} : { name: value.trim() }, replace: true })
          }}
        />
      )}
      {found.length === 0 ? (
        <p className="text-kumo-subtle">No token has that in its name.</p>
      ) : (
        <Tokens tokens={found.slice((page - 1) * PER_PAGE, page * PER_PAGE)} {...others} />
      )}
      {found.length > PER_PAGE && (
        <div className="mt-4">
          <Pagination
            page={page}
            perPage={PER_PAGE}
            totalCount={found.length}
            setPage={(page) => void navigate({ search: (before) => ({ ...before, page }) })}
          />
        </div>
      )}
    </>
  )
}

function Tokens({ tokens, path, onRolled }: TokensProps) {
  const [asked, setAsked] = useState<{ readonly act: 'roll' | 'revoke'; readonly token: TokenBody }>()
  const revoke = useAct((id: string) => ask(`${path}/${id}`, { method: 'DELETE' }), [path])
  const roll = useAct((id: string) => ask<string>(`${path}/${id}/value`, { method: 'PUT', body: {} }), [path])
  const change = useAct(
    ({ id, name, status, policies, condition, not_before, expires_on }: TokenBody) =>
      ask(`${path}/${id}`, {
        method: 'PUT',
        body: {
          name,
          policies,
          condition,
          not_before,
          expires_on,
          status: status === 'active' ? 'disabled' : 'active',
        },
      }),
    [path],
  )
  async function confirm() {
    if (!asked) return
    const { act, token } = asked
    if (act === 'revoke') await revoke.mutateAsync(token.id)
    else onRolled({ name: token.name, value: await roll.mutateAsync(token.id) })
  }
  return (
    <>
      {change.error && <ProblemNote className="mb-4">{problemText(change.error)}</ProblemNote>}
      <FoldingTable
        label="Tokens"
        rows={tokens}
        rowKey={({ id }) => id}
        columns={[
          ...COLUMNS,
          {
            head: 'Actions',
            isActions: true,
            renderCell: (token) => (
              <TokenMenu
                token={token}
                onChange={() => change.mutate(token)}
                onAsk={(act) => setAsked({ act, token })}
              />
            ),
          },
        ]}
      />
      <ConfirmDialog
        open={asked !== undefined}
        onOpenChange={() => setAsked(undefined)}
        title={asked?.act === 'roll' ? `Roll ${asked.token.name}?` : `Revoke ${asked?.token.name}?`}
        action={asked?.act === 'roll' ? 'Roll the token' : 'Revoke the token'}
        onConfirm={confirm}
      >
        {asked?.act === 'roll'
          ? 'It gets a new secret, which is shown once. The one that programs use now stops at once.'
          : 'Programs that use it are refused from now on. This cannot be undone.'}
      </ConfirmDialog>
    </>
  )
}

interface TokenMenuProps {
  readonly token: TokenBody
  /** Disables it, or enables it again. */
  readonly onChange: () => void
  /** Asks first. */
  readonly onAsk: (act: 'roll' | 'revoke') => void
}

function TokenMenu({ token: { name, status }, onChange, onAsk }: TokenMenuProps) {
  return (
    <DropdownMenu>
      <DropdownMenu.Trigger
        render={
          <Button
            variant="ghost"
            shape="square"
            icon={<DotsThreeIcon />}
            aria-label={`Actions for ${name}`}
          />
        }
      />
      <DropdownMenu.Content>
        {status !== 'expired' && (
          <DropdownMenu.Item onClick={onChange}>
            {status === 'active' ? 'Disable' : 'Enable'}
          </DropdownMenu.Item>
        )}
        <DropdownMenu.Item onClick={() => onAsk('roll')}>Roll</DropdownMenu.Item>
        <DropdownMenu.Item variant="danger" onClick={() => onAsk('revoke')}>
          Revoke
        </DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu>
  )
}

function Permissions({ token }: { readonly token: TokenBody }) {
  const names = token.policies.flatMap(({ permission_groups }) => permission_groups.map(({ name }) => name))
  const [first, second, ...rest] = [...new Set(names)]
  return (
    <span title={[...new Set(names)].join(', ')}>
      {[first, second].filter(Boolean).join(', ')}
      {rest.length > 0 && <span className="text-kumo-subtle"> and {rest.length} more</span>}
    </span>
  )
}
