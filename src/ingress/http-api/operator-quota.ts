import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type AccountQuota, setQuotaRequest } from '#contract/operator-quota.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { explainQuota } from '#registry/quota/explain-quota.ts'
import type { Quota, QuotaReport, QuotaSetting } from '#registry/quota/quota.ts'
import { refuse, succeed, turnAway } from './answer.ts'
import { readJson } from './read-json.ts'

export interface OperatorQuotaWorld {
  readonly accounts: Pick<Accounts, 'account'>
  readonly now: () => number
  readonly quota: Pick<Quota, 'report' | 'adjust'>
}

/** `GET /accounts/{account_id}/quota`. */
export async function quotaRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: OperatorQuotaWorld,
): Promise<FastifyReply> {
  const accountId = await accountOf(request, world)
  if (accountId === undefined) return turnAway(reply, 'notFound', 'There is no such account.')
  return succeed(reply, quotaBody(accountId, await world.quota.report(accountId, world.now())))
}

/** `PUT /accounts/{account_id}/quota`. The account's audit log tells of it, as of the service's own doing. */
export async function setQuotaRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: OperatorQuotaWorld,
): Promise<FastifyReply> {
  const accountId = await accountOf(request, world)
  if (accountId === undefined) return turnAway(reply, 'notFound', 'There is no such account.')
  const body = readJson(request.body, setQuotaRequest, { quota: 'value', limit: 'value' })
  if (!body.ok) return refuse(reply, body.refusal)
  const setting = settingOf(body.value)
  if (!setting) {
    const detail = 'value goes with mode "fixed", and only with it.'
    return refuse(reply, { kind: 'field-invalid', detail, pointer: '/value' })
  }
  const at = world.now()
  const report = await world.quota.adjust(accountId, setting, {
    at,
    record: ({ before, after }) => [
      auditWrite({
        ...{ accountId, actor: 'system', action: 'account.quota', at, before, after },
        resource: { type: 'account', id: accountId },
      }),
    ],
  })
  return succeed(reply, quotaBody(accountId, report))
}

const params = z.object({ account_id: z.string() })

async function accountOf(
  request: FastifyRequest,
  { accounts }: OperatorQuotaWorld,
): Promise<string | undefined> {
  const id = params.parse(request.params).account_id.toLowerCase()
  return /^[0-9a-f]{32}$/.test(id) ? (await accounts.account(id))?.id : undefined
}

function settingOf({ mode, value }: z.output<typeof setQuotaRequest>): QuotaSetting | undefined {
  if (mode === 'fixed') return value === undefined ? undefined : { mode, value }
  return value === undefined ? { mode } : undefined
}

function quotaBody(accountId: string, report: QuotaReport): AccountQuota {
  const { setting, limit, automatic, used, resetsAt } = report
  return {
    account_id: accountId,
    mode: setting.mode,
    quota: limit === null ? null : { unit: 'day', value: limit },
    automatic,
    reason: explainQuota(report),
    usage: {
      sent: used,
      over_quota: limit !== null && used >= limit,
      resets_at: new Date(resetsAt).toISOString(),
    },
  }
}
