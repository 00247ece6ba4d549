import { useParams } from '@tanstack/react-router'
import { type SessionAccount, useSession } from '../api/session.ts'

/** The account that the page is about; outside of one (inbox, operator) the viewer's first. */
export function useAccount(): SessionAccount {
  const { accountId } = useParams({ strict: false })
  const { accounts } = useSession()
  const account = accounts.find(({ id }) => id === accountId) ?? accounts[0]
  if (!account) throw new Error('You are a member of no account. Ask an administrator to invite you.')
  return account
}
