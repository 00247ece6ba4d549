import { statusesOf } from '../parts/mail-status.ts'
import { useZones } from '../parts/use-zones.ts'
import { byStatus } from './breakdown.ts'
import { ChartPanel, graphqlAsked } from './chart-panel.tsx'
import type { LinkToLog } from './link-to-log.ts'
import { NothingYet } from './nothing-yet.tsx'
import { shareText } from './numbers.ts'
import { byDomainQuestion, type Scope } from './questions.ts'
import { ShareBars } from './share-bars.tsx'
import { type Figures, rowsOf, useFigures } from './use-figures.ts'

interface DomainPanelProps {
  readonly scope: Scope
  readonly range: string
  readonly every: number | false
  readonly linkToLog: LinkToLog
}

/** Emails of each domain, and what became of them. */
export function DomainPanel({ scope, range, every, linkToLog }: DomainPanelProps) {
  const { mail, accountId } = scope
  const figures = useFigures(byDomainQuestion(scope), { range, every })
  const { data: zones = [] } = useZones(accountId)
  const good = mail === 'sending' ? 'Delivered' : 'Forwarded'

  function read(answer: Figures) {
    const names = new Map(zones.map(({ id, name }) => [id, name]))
    const domainOf = ({ sendingDomain, zoneTag }: Figures['groups'][string][number]['dimensions']) =>
      String(sendingDomain ?? names.get(String(zoneTag)) ?? zoneTag)
    return byStatus(rowsOf(answer), ({ dimensions }) => domainOf(dimensions), mail).map((row) => ({
      ...row,
      share: shareText(row.parts.find(({ label }) => label === good)?.count ?? 0, row.total),
    }))
  }

  return (
    <ChartPanel
      title="By domain"
      of={figures}
      renderChart={(answer) => {
        const rows = read(answer)
        if (rows.length === 0) return <NothingYet mail={mail} />
        const bars = rows.map(({ key, parts, share }) => ({
          ...{ key, parts, label: key || 'No domain of yours' },
          ...(key !== '' && { href: linkToLog({ domain: key }) }),
          note: `${share} ${good.toLowerCase()}`,
        }))
        return <ShareBars of={bars} />
      }}
      table={(answer) => ({
        columns: ['Domain', 'Emails', ...statusesOf(mail).map(({ label }) => label), `${good}, share`],
        rows: read(answer).map(({ key, total, parts, share }) => [
          ...[key || 'No domain of yours', total, ...parts.map(({ count }) => count), share],
        ]),
      })}
      query={graphqlAsked}
    />
  )
}
