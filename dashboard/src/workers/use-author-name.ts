import type { TokenBody } from '#contract/tokens.ts'
import { accountPath } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { useAccount } from '../shell/use-account.ts'

/** As the API says it of what no person did. */
const TOKEN = /^API token ([0-9a-f]{32})$/

/** Names who deployed, for a person. Members are not shown the account's tokens: to them it is some token of it. */
export function useAuthorName(authors: readonly string[]): (author: string) => string {
  const { id, role } = useAccount()
  const { data: tokens } = useEveryPage<TokenBody>(`${accountPath(id, 'tokens')}?include_expired=true`, {
    enabled: role === 'admin' && authors.some((author) => TOKEN.test(author)),
  })
  return (author) => {
    const token = TOKEN.exec(author)?.[1]
    if (token === undefined) return author
    const name = tokens?.find((each) => each.id === token)?.name
    if (name !== undefined) return `API token ${name}`
    return tokens ? 'An API token that was revoked' : 'An API token'
  }
}
