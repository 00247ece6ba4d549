import { createRequire } from 'node:module'

/** The newest compatibility date (YYYY-MM-DD) that the runtime knows: the day on which it was made. */
export const NEWEST_DATE = newestDate()

/** What a Worker runs with. Clients put the day of the upload, which workerd refuses once it lies more than a week after its
 *  own: such a Worker wants whatever is newest, and gets that. */
export function runnableDate(wanted: string): string {
  return wanted > NEWEST_DATE ? NEWEST_DATE : wanted
}

function newestDate(): string {
  const require = createRequire(import.meta.url)
  const { compatibilityDate }: { compatibilityDate: string } = require('workerd')
  return compatibilityDate
}
