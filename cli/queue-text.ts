import type { TimelineEvent } from '#contract/messages.ts'
import type { ActResult, DeliveryTimeline, PauseBody, QueueBody, QueuedDelivery } from '#contract/operator.ts'
import type { Page } from './page.ts'
import { fromNow, number, plain, textTable } from './text-table.ts'

export function statsText(queue: QueueBody, page: Page): string {
  const { totals, lanes, oldest, failing, paused } = queue
  const parts = [
    `${number(totals.waiting)} waiting, ${number(totals.claimed)} being attempted, ${number(totals.held)} held`,
    `${number(lanes.total)} lanes (account and recipient domain): ${number(lanes.due)} due, ${number(lanes.failing)} failing`,
  ]
  if (oldest) {
    const { domain, created_at, expires_at } = oldest
    parts.push(
      `first to expire: ${oldest.id} to ${plain(domain)}, ${oldest.state}, accepted ${fromNow(created_at, page.now)}, expires ${fromNow(expires_at, page.now)}`,
    )
  }
  const counted = (rows: readonly { waiting: number; claimed: number; held: number }[]) =>
    rows.map((row) => [row.waiting, row.claimed, row.held].map(number))
  const section = (head: readonly string[], rows: readonly (readonly string[])[]) => {
    if (rows.length > 0) parts.push('', textTable(head, rows, page.width))
  }
  section(
    ['WAITING', 'ATTEMPTED', 'HELD', 'DOMAIN'],
    counted(queue.domains).map((counts, i) => [...counts, queue.domains[i]?.domain ?? '']),
  )
  section(
    ['WAITING', 'ATTEMPTED', 'HELD', 'ACCOUNT', 'NAME'],
    counted(queue.accounts).map((counts, i) => {
      const account = queue.accounts[i]
      return [...counts, account?.account_id ?? '', account?.name ?? '']
    }),
  )
  section(
    ['FAILED', 'NEXT', 'ACCOUNT', 'DOMAIN'],
    failing.map((lane) => [
      `${lane.failures}x`,
      fromNow(lane.next_attempt_at, page.now),
      lane.account_id,
      lane.domain,
    ]),
  )
  section(
    ['PAUSED', 'NAME', 'SINCE', 'UNTIL', 'REASON'],
    paused.map((pause) => pauseRow(pause, page.now)),
  )
  return parts.join('\n')
}

function pauseRow({ kind, name, reason, until, created_at }: PauseBody, now: number): string[] {
  return [kind, name, fromNow(created_at, now), until === null ? 'resumed' : fromNow(until, now), reason]
}

export function listText(deliveries: readonly QueuedDelivery[], page: Page): string {
  return textTable(
    ['ID', 'STATE', 'TRIES', 'NEXT', 'EXPIRES', 'TO', 'FROM', 'LAST REPLY'],
    deliveries.map((each) => [
      each.id,
      each.state,
      String(each.attempts),
      nextOf(each, page.now),
      each.settled_at === null ? fromNow(each.expires_at, page.now) : '',
      each.to,
      each.from === '' ? '<>' : each.from,
      each.last_reply ?? '',
    ]),
    page.width,
  )
}

function nextOf({ state, paused, next_attempt_at: next }: QueuedDelivery, now: number): string {
  return state === 'waiting' && paused ? 'paused' : fromNow(next, now)
}

export function timelineText({ delivery, events }: DeliveryTimeline, page: Page): string {
  const { state, next_attempt_at: next } = delivery
  const lines = [
    `delivery  ${delivery.id}`,
    `message   ${plain(delivery.message_id)}`,
    `account   ${delivery.account_id}`,
    `from      ${delivery.from === '' ? '<>' : plain(delivery.from)}`,
    `to        ${plain(delivery.to)}`,
    `subject   ${plain(delivery.subject)}`,
    `state     ${state}${next === null ? '' : `, next attempt ${nextOf(delivery, page.now)}`}`,
    ...(delivery.settled_at === null ? [`expires   ${fromNow(delivery.expires_at, page.now)}`] : []),
  ]
  return [...lines, ...events.map((event) => `\n${eventText(event)}`)].join('\n')
}

function eventText(event: TimelineEvent): string {
  const { host, address, tls, tls_policy: policy, tls_failure: failure, duration_ms: ms } = event
  const facts = [
    event.smtp_reply && `reply     ${event.smtp_reply}`,
    event.cause && `cause     ${event.cause}`,
    host && `host      ${host}${address ? ` [${address}]` : ''}${ms === undefined ? '' : `, ${ms} ms`}`,
    tls && `tls       ${tls}${policy ? ` (${policy})` : ''}`,
    failure && `tls fault ${failure}`,
    event.perhaps_taken && 'the connection broke after the final dot: the server may have taken it',
    event.feedback_type && `feedback  ${event.feedback_type}`,
    event.retry_at && `retry at  ${event.retry_at}`,
    event.recipients && `to        ${event.recipients.join(', ')}`,
    event.size !== undefined && `size      ${number(event.size)} bytes`,
    ...(event.dialogue ?? []).map((line) => `  ${line}`),
  ]
  const attempt = event.attempt !== undefined && host ? `, attempt ${event.attempt}` : ''
  const shown = facts.flatMap((fact) => (fact ? [`  ${plain(fact)}`] : []))
  return [`${event.at}  ${event.type}${attempt}`, ...shown].join('\n')
}

const DONE = {
  hold: 'held',
  release: 'released',
  retry: 'due now',
  cancel: 'cancelled',
  expire: 'expired',
} as const satisfies Record<ActResult['action'], string>

export function actText({ action, dry_run: dryRun, selected, changed }: ActResult): string {
  const sentence = `${number(changed)} ${dryRun ? 'would be ' : ''}${DONE[action]}.`
  if (selected.claimed === 0) return sentence
  return `${sentence} ${number(selected.claimed)} left alone: being attempted.`
}
