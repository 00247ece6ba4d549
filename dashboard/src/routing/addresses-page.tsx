import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Input } from '@cloudflare/kumo/components/input'
import { Table } from '@cloudflare/kumo/components/table'
import { useKumoToastManager } from '@cloudflare/kumo/components/toast'
import { EnvelopeSimpleIcon, TrashIcon } from '@phosphor-icons/react'
import { type FormEvent, useState } from 'react'
import type { AddressResult } from '#contract/addresses.ts'
import type { AccountRuleResult } from '#contract/rules.ts'
import { ask } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { useAccount } from '../shell/use-account.ts'
import { actionOf } from './read-rule.ts'
import { accountRoutingPath } from './routing-paths.ts'
import { useAddresses } from './use-targets.ts'

/** Where mail may be forwarded to, once the owner of the address agreed. */
export function AddressesPage() {
  const { id } = useAccount()
  const addresses = useAddresses(id)
  return (
    <Page
      title="Destination addresses"
      lead="Where mail may be forwarded to, from every domain of the account. Each gets a mail with a link that verifies it."
    >
      <Section title="Add a destination address">
        <AddAddress accountId={id} />
      </Section>
      <Section title="Addresses">
        <Asked of={addresses}>
          {(all) =>
            all.length === 0 ? (
              <Empty
                icon={<EnvelopeSimpleIcon size={48} />}
                title="No destination address yet"
                description="Add one above. Its owner gets a mail and follows the link in it; then rules can forward to it."
              />
            ) : (
              <AddressesTable accountId={id} addresses={all} />
            )
          }
        </Asked>
      </Section>
    </Page>
  )
}

function useAdd(accountId: string) {
  const path = accountRoutingPath(accountId, 'addresses')
  return useAct((email: string) => ask<AddressResult>(path, { method: 'POST', body: { email } }), [path])
}

function AddAddress({ accountId }: { readonly accountId: string }) {
  const toasts = useKumoToastManager()
  const [email, setEmail] = useState('')
  const add = useAdd(accountId)
  function submit(event: FormEvent) {
    event.preventDefault()
    add.mutate(email.trim(), {
      onSuccess: ({ email, verified }) => {
        setEmail('')
        toasts.add(
          verified === null
            ? { variant: 'success', title: 'Verification mail sent', description: `to ${email}` }
            : { title: `${email} is verified already` },
        )
      },
    })
  }
  const error =
    add.error === null
      ? undefined
      : (add.error instanceof Problem && add.error.at('/email')) || problemText(add.error)
  return (
    <form className="flex max-w-xl flex-col items-start gap-2 sm:flex-row" onSubmit={submit} noValidate>
      <div className="w-full sm:flex-1">
        <Input
          label="Email address"
          type="email"
          placeholder="you@example.com"
          value={email}
          autoComplete="off"
          onChange={(event) => {
            add.reset()
            setEmail(event.target.value)
          }}
          {...(error !== undefined && { error })}
        />
      </div>
      <Button
        type="submit"
        variant="primary"
        className="sm:mt-7"
        loading={add.isPending}
        disabled={email.trim() === ''}
      >
        Add address
      </Button>
    </form>
  )
}

function AddressesTable({
  accountId,
  addresses,
}: {
  readonly accountId: string
  readonly addresses: readonly AddressResult[]
}) {
  const toasts = useKumoToastManager()
  const resend = useAdd(accountId)
  const rulesPath = accountRoutingPath(accountId, 'rules')
  const { data: rules } = useEveryPage<AccountRuleResult>(rulesPath)
  const [going, setGoing] = useState<AddressResult>()
  const remove = useAct(
    (id: string) => ask(accountRoutingPath(accountId, 'addresses', id), { method: 'DELETE' }),
    [accountRoutingPath(accountId, 'addresses'), rulesPath, '/client/v4/zones'],
  )
  const using = ({ email }: AddressResult) =>
    rules?.filter((rule) => {
      const { type, target } = actionOf(rule)
      return type === 'forward' && target.toLowerCase() === email.toLowerCase()
    }).length
  return (
    <TableBox label="Addresses">
      <Table>
        <Table.Header>
          <Table.Row>
            <Table.Head>Address</Table.Head>
            <Table.Head>Status</Table.Head>
            <Table.Head>Rules</Table.Head>
            <Table.Head>Added</Table.Head>
            <Table.Head>
              <span className="sr-only">Actions</span>
            </Table.Head>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {addresses.map((address) => (
            <Table.Row key={address.id}>
              <Table.Cell className="font-mono text-sm">{address.email}</Table.Cell>
              <Table.Cell>
                {address.verified === null ? (
                  <Badge variant="warning">Pending</Badge>
                ) : (
                  <Badge variant="success">Verified</Badge>
                )}
              </Table.Cell>
              <Table.Cell>{using(address)}</Table.Cell>
              <Table.Cell>
                <Moment at={address.created} ago />
              </Table.Cell>
              <Table.Cell>
                <span className="flex justify-end gap-1">
                  {address.verified === null && (
                    <Button
                      size="sm"
                      loading={resend.isPending && resend.variables === address.email}
                      aria-label={`Resend the verification mail to ${address.email}`}
                      onClick={() =>
                        resend.mutate(address.email, {
                          onSuccess: () =>
                            toasts.add({
                              variant: 'success',
                              title: 'Verification mail sent',
                              description: `to ${address.email}`,
                            }),
                          onError: (error) =>
                            toasts.add({
                              variant: 'error',
                              title: 'The mail was not sent',
                              description: problemText(error),
                            }),
                        })
                      }
                    >
                      Resend
                    </Button>
                  )}
                  <Button
                    variant="ghost"
                    shape="square"
                    size="sm"
                    icon={<TrashIcon />}
                    aria-label={`Delete ${address.email}`}
                    onClick={() => setGoing(address)}
                  />
                </span>
              </Table.Cell>
            </Table.Row>
          ))}
        </Table.Body>
      </Table>
      <ConfirmDialog
        open={going !== undefined}
        onOpenChange={() => setGoing(undefined)}
        title={`Delete ${going?.email ?? ''}?`}
        action="Delete address"
        onConfirm={async () => going && remove.mutateAsync(going.id)}
      >
        Nothing is forwarded to it any more: the rules and catch-alls that lead there are disabled. To use it
        again it has to be verified again.
      </ConfirmDialog>
    </TableBox>
  )
}
