import type { Asking } from './asking.ts'
import { lowerAscii } from './compile-filter.ts'
import { dayOf } from './day.ts'
import { storable } from './read-event.ts'

/** More than a mailing list makes of one message, and no more than a question may be about. A stranger may give as many
 *  as he likes the same name. */
const MOST = 200

/** Which messages came to an account with a Message-ID in their header, by the ids that their events have: the newest
 *  ones, where there are very many. Angle brackets and the case of ASCII letters count for nothing. */
export async function findNamesakes(
  { engine, index, since, deadline }: Asking,
  { accountId, headerMessageId }: { readonly accountId: string; readonly headerMessageId: string },
): Promise<readonly string[]> {
  const bare = lowerAscii(storable(headerMessageId.trim().replace(/^<(.*)>$/s, '$1')))
  const [account, all] = await Promise.all([index.account(accountId), index.days()])
  if (account === undefined || bare === '') return []
  const found = new Set<string>()
  const days = all.filter((day) => day >= dayOf(since)).toReversed()
  // By twice as many days each time: most are asked about soon after they came.
  for (let from = 0, many = 1; from < days.length && found.size < MOST; from += many, many *= 2) {
    deadline.check()
    const parts = days
      .slice(from, from + many)
      .map((day) => `select * from (${daySql(day, account)}) d${day}`)
    const rows = await engine.read('rows', parts.join(' union all '), [bare, `<${bare}>`])
    for (const { message } of rows) found.add(String(message))
  }
  return [...found].slice(0, MOST)
}

function daySql(day: number, account: number): string {
  return `select distinct message from history_row_${day}
    where account = ${account} and header_id <> '' and lower(header_id) in ($1, $2) and message <> '' limit ${MOST}`
}
