import { RecordList } from './record-list.tsx'
import type { ZoneDetail } from './zone-detail.ts'

/** What a hosted zone still needs from its owner: that DNS leads here. */
export function DelegationNote({ zone }: { readonly zone: ZoneDetail }) {
  const names = zone.type === 'full' ? [zone.name] : zone.delegated_names
  const records = names.flatMap((name) =>
    zone.name_servers.map((content) => ({ type: 'NS' as const, name, content })),
  )
  return (
    <div className="mb-6">
      <p className="mb-3 max-w-prose">
        {zone.type === 'full'
          ? `The records are written here. DNS shows them once ${zone.name} is delegated to these name servers, at its registrar:`
          : `The records are written here. DNS shows them once these names are delegated, at the DNS provider of ${zone.name}:`}
      </p>
      <RecordList label="Delegation" records={records} zone={zone.name} />
    </div>
  )
}
