import { Button } from '@cloudflare/kumo/components/button'
import { DropdownMenu } from '@cloudflare/kumo/components/dropdown'
import { CaretUpDownIcon, CheckIcon } from '@phosphor-icons/react'
import { useNavigate } from '@tanstack/react-router'
import { type SessionAccount, useSession } from '../api/session.ts'

/** Whose mail one looks at; a menu of the others that the viewer is a member of. */
export function AccountMenu({ account }: { readonly account: SessionAccount }) {
  const { accounts } = useSession()
  const navigate = useNavigate()
  const name = (
    <span className="flex min-w-0 items-center gap-2">
      <img src="/posthorn.svg" alt="" width={22} height={22} />
      <span className="truncate font-semibold">{account.name}</span>
    </span>
  )
  if (accounts.length < 2) return <div className="p-2">{name}</div>
  return (
    <DropdownMenu>
      <DropdownMenu.Trigger
        render={
          <Button variant="ghost" className="w-full justify-between" aria-label={`Account: ${account.name}`}>
            {name}
            <CaretUpDownIcon aria-hidden />
          </Button>
        }
      />
      <DropdownMenu.Content>
        {accounts.map(({ id, name }) => (
          <DropdownMenu.Item
            key={id}
            {...(id === account.id && { icon: CheckIcon })}
            onClick={() => void navigate({ to: '/$accountId/overview', params: { accountId: id } })}
          >
            {name}
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  )
}
