import { Radio } from '@cloudflare/kumo/components/radio'
import { DNS_ROADS, type DnsRoad, isDnsRoad } from './dns-roads.ts'

interface DnsRoadChoiceProps {
  readonly value: DnsRoad
  readonly onChange: (road: DnsRoad) => void
}

export function DnsRoadChoice({ value, onChange }: DnsRoadChoiceProps) {
  return (
    <Radio.Group
      legend="Where is its DNS?"
      appearance="card"
      value={value}
      onValueChange={(road) => {
        if (isDnsRoad(road)) onChange(road)
      }}
    >
      {Object.entries(DNS_ROADS).map(([road, { label, description }]) => (
        <Radio.Item key={road} value={road} label={label} description={description} />
      ))}
    </Radio.Group>
  )
}
