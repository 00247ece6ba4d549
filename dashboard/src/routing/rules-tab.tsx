import { Button } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Input } from '@cloudflare/kumo/components/input'
import { PlusIcon, SignpostIcon } from '@phosphor-icons/react'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { RuleResult } from '#contract/rules.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { queryKey } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/page.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { AddressTest } from './address-test.tsx'
import { CatchAllSummary } from './catch-all-summary.tsx'
import { DomainSelect } from './domain-select.tsx'
import type { DomainTabProps } from './domain-tab.ts'
import { actionOf, addressOf, domainOf } from './read-rule.ts'
import { routingPath } from './routing-paths.ts'
import { RuleDialog } from './rule-dialog.tsx'
import { RulesList } from './rules-list.tsx'
import { useTargets } from './use-targets.ts'

/** So many that one looks for an address rather than down the list. */
const MANY = 10

/** What becomes of mail for single addresses. */
export function RulesTab({ zoneId, zone, domains, domain, onDomain }: DomainTabProps) {
  const path = routingPath(zoneId, 'rules')
  const rules = useEveryPage<RuleResult>(path)
  const targets = useTargets()
  const [wanted, setWanted] = useState('')
  const [asked, setAsked] = useState<RuleResult | 'new'>()
  useRulesAfterProof(path, targets?.addresses.filter(({ verified }) => verified !== null).length)
  const names = domains.filter(({ enabled }) => enabled).map(({ name }) => name)
  const chosen = domain ?? ''
  return (
    <>
      <Section
        title="Routing Rules"
        lead="What becomes of mail for an address. Of two rules for the same address the one that stands first is tried."
        actions={
          <>
            <DomainSelect
              domains={domains}
              value={chosen}
              all="All domains"
              onChange={(name) => onDomain(name === '' ? undefined : name)}
            />
            <Button
              variant="primary"
              icon={<PlusIcon />}
              disabled={!targets || !rules.data}
              onClick={() => setAsked('new')}
            >
              Create routing rule
            </Button>
          </>
        }
      >
        <Asked of={rules}>
          {(all) => {
            const ofDomain = all.filter((rule) => chosen === '' || domainOf(addressOf(rule)) === chosen)
            const shown = ofDomain.filter((rule) => holds(rule, wanted.trim().toLowerCase()))
            if (ofDomain.length === 0) {
              return (
                <Empty
                  icon={<SignpostIcon size={48} />}
                  title="No routing rule yet"
                  description="Create one: choose an address, and whether its mail goes to an email, to a Worker, or nowhere."
                />
              )
            }
            if (!targets) return <RowsSkeleton />
            return (
              <>
                {ofDomain.length > MANY && <Search value={wanted} onChange={setWanted} />}
                {shown.length === 0 ? (
                  <p className="text-kumo-subtle">No rule has that in its address, target or name.</p>
                ) : (
                  <RulesList
                    zoneId={zoneId}
                    rules={shown}
                    targets={targets}
                    isMovable={shown.length === ofDomain.length}
                    onEdit={setAsked}
                  />
                )}
              </>
            )
          }}
        </Asked>
      </Section>
      {targets && (
        <CatchAllSummary
          addresses={targets.addresses}
          zoneId={zoneId}
          domains={names.filter((name) => chosen === '' || name === chosen)}
        />
      )}
      {rules.data && <AddressTest zoneId={zoneId} zone={zone} domains={names} rules={rules.data} />}
      {asked !== undefined && targets && rules.data && (
        <RuleDialog
          zoneId={zoneId}
          {...(asked !== 'new' && { rule: asked })}
          onClose={() => setAsked(undefined)}
          domains={names}
          domain={chosen === '' ? (names[0] ?? zone.name) : chosen}
          rules={rules.data}
          targets={targets}
        />
      )}
    </>
  )
}

interface SearchProps {
  readonly value: string
  readonly onChange: (value: string) => void
}

function Search({ value, onChange }: SearchProps) {
  return (
    <div className="mb-4 max-w-sm">
      <Input
        className="w-full"
        type="search"
        aria-label="Search rules"
        placeholder="Search rules"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  )
}

function holds(rule: RuleResult, part: string): boolean {
  return [addressOf(rule), actionOf(rule).target, rule.name].some((text) => text.toLowerCase().includes(part))
}

/** Rules begin to work when their destination is verified, which its owner does elsewhere. */
function useRulesAfterProof(path: string, verified: number | undefined): void {
  const client = useQueryClient()
  useEffect(() => {
    if (verified !== undefined) void client.invalidateQueries({ queryKey: queryKey(path) })
  }, [client, path, verified])
}
