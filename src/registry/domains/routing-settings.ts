import { type Store, statement } from '#store/store.ts'
import type { RecordChange } from './domain-change.ts'
import type { Zone } from './zones.ts'

/** What a zone's owner chose for routing, beside what is in DNS. */
export interface RoutingSettings {
  readonly skipWizard: boolean
  /** Whether `user+detail@` matches the rule of `user@` (config-routing-rules-addresses.md, RFC 5233). */
  readonly supportSubaddress: boolean
  /** Milliseconds since 1970; the zone's, until something was chosen. */
  readonly createdAt: number
  readonly modifiedAt: number
}

interface SettingRow {
  readonly skip_wizard: number
  readonly support_subaddress: number
  readonly created_at: number
  readonly modified_at: number
}

const settingOfZone = statement<SettingRow>(
  'routing-setting.of-zone',
  `select skip_wizard, support_subaddress, created_at, modified_at from routing_setting
   where zone_id = $1 and account_id = $2`,
)

// What is null stays as it is.
const upsertSetting = statement(
  'routing-setting.upsert',
  `insert into routing_setting (zone_id, account_id, skip_wizard, support_subaddress, created_at, modified_at)
   values ($1, $2, coalesce(cast($3 as integer), 0), coalesce(cast($4 as integer), 0), cast($5 as bigint),
     cast($5 as bigint))
   on conflict (zone_id) do update set
     skip_wizard = coalesce(cast($3 as integer), routing_setting.skip_wizard),
     support_subaddress = coalesce(cast($4 as integer), routing_setting.support_subaddress),
     modified_at = excluded.modified_at`,
)

export async function routingSettings(store: Store, zone: Zone): Promise<RoutingSettings> {
  const row = await store.get(settingOfZone, [zone.id, zone.accountId])
  return {
    skipWizard: row?.skip_wizard === 1,
    supportSubaddress: row?.support_subaddress === 1,
    createdAt: row?.created_at ?? zone.createdAt,
    modifiedAt: row?.modified_at ?? zone.createdAt,
  }
}

/** What is absent stays. */
export async function changeRoutingSettings(
  store: Store,
  zone: Zone,
  change: {
    readonly skipWizard?: boolean | undefined
    readonly supportSubaddress?: boolean | undefined
    readonly at: number
    readonly record: RecordChange
  },
): Promise<void> {
  const { skipWizard, supportSubaddress, at, record } = change
  if (skipWizard === undefined && supportSubaddress === undefined) return
  const before = await routingSettings(store, zone)
  const shown = (of: Pick<RoutingSettings, 'skipWizard' | 'supportSubaddress'>) => ({
    skip_wizard: of.skipWizard,
    support_subaddress: of.supportSubaddress,
  })
  const after = {
    skipWizard: skipWizard ?? before.skipWizard,
    supportSubaddress: supportSubaddress ?? before.supportSubaddress,
  }
  const truth = (value: boolean | undefined) => (value === undefined ? null : value ? 1 : 0)
  await store.commit([
    {
      statement: upsertSetting,
      params: [zone.id, zone.accountId, truth(skipWizard), truth(supportSubaddress), at],
      rows: 1,
    },
    ...record({
      accountId: zone.accountId,
      action: 'routing.update',
      resource: { type: 'routing', id: zone.id },
      zone: zone.name,
      before: shown(before),
      after: shown(after),
      at,
    }),
  ])
}
