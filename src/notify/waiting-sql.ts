/** `waiting (id)`: for whom something waits, each once, from one to the next by an index, however much waits for each. */
function waitingSql(table: string, column: string, condition?: string): string {
  const from = (and: readonly string[]) => {
    const where = [...(condition ? [condition] : []), ...and].join(' and ')
    return `(select min(${column}) from ${table}${where && ` where ${where}`})`
  }
  return `with recursive waiting (id) as (
     select ${from([])}
     union all
     select ${from([`${column} > waiting.id`])} from waiting where waiting.id is not null)`
}

export const WAITING_SUBSCRIPTIONS = waitingSql('queue_notification', 'subscription_id')
export const WAITING_WEBHOOKS = waitingSql('webhook_delivery', 'webhook_id', `state = 'pending'`)
