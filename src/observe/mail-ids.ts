/** What every line of the log about a delivery has, so that one search finds all of them: ids, and no address. */
export function mailIds({ id, message }: Identified): {
  readonly account: string
  readonly message: string
  readonly delivery: string
} {
  return { account: message.accountId, message: message.id, delivery: id }
}

/** The same of several in one line, the first of them by name. */
export function manyMailIds(deliveries: readonly Identified[]) {
  const [first, ...others] = deliveries
  if (!first) return { deliveries: 0 }
  if (others.length === 0) return mailIds(first)
  return { deliveries: deliveries.length, some: deliveries.slice(0, MOST_NAMED).map(mailIds) }
}

interface Identified {
  readonly id: string
  readonly message: { readonly id: string; readonly accountId: string }
}

const MOST_NAMED = 10
