import type { Log } from '#observe/log.ts'
import type { ServiceCheck } from '#registry/domains/service-check.ts'
import type { ServiceItem } from '#registry/domains/service-item.ts'

/** Looks at the service domain's own records, one look at a time, and tells the log what is wrong: once, and again when
 *  that changes. What is well is told only where it was not. */
export function openServiceWatch({ check, log }: { check: () => Promise<ServiceCheck>; log: Log }) {
  let latest: ServiceCheck | undefined
  let running: Promise<ServiceCheck> | undefined

  async function run(): Promise<ServiceCheck> {
    try {
      const now = await check()
      tell(latest?.items ?? [], now.items)
      latest = now
      return now
    } finally {
      running = undefined
    }
  }

  function tell(before: readonly ServiceItem[], now: readonly ServiceItem[]): void {
    const told = new Map(before.map((item) => [keyOf(item), item.advice]))
    for (const item of now) {
      const { subject, name, advice, found } = item
      const said = told.get(keyOf(item)) ?? null
      if (advice === said) continue
      if (advice === null) log.info({ subject, name }, 'service domain: in order again')
      else log.warn({ subject, name, found }, `service domain: ${advice}`)
    }
  }

  const look = () => {
    running ??= run()
    return running
  }
  return { look, last: async () => latest ?? look() }
}

function keyOf({ subject, name }: ServiceItem): string {
  return `${subject} ${name}`
}
