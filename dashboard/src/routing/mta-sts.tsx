import { Banner } from '@cloudflare/kumo/components/banner'
import { Button } from '@cloudflare/kumo/components/button'
import { Radio } from '@cloudflare/kumo/components/radio'
import { Select } from '@cloudflare/kumo/components/select'
import { useKumoToastManager } from '@cloudflare/kumo/components/toast'
import { WarningIcon } from '@phosphor-icons/react'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { MtaStsBody } from '#contract/mta-sts.ts'
import { ask, withQuery, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { queryKey, useAct, useAsk } from '../api/use-ask.ts'
import { ConflictingRecords } from '../domains/conflicting-records.tsx'
import { ProblemList } from '../domains/problem-list.tsx'
import { RecordList } from '../domains/record-list.tsx'
import { RecordStateBadge } from '../domains/record-state-badge.tsx'
import type { ZoneDetail } from '../domains/zone-detail.ts'
import { Asked } from '../parts/asked.tsx'
import { CodeText } from '../parts/code-text.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { routingPath } from './routing-paths.ts'

type Mode = MtaStsBody['mode']

const MODES: readonly { readonly mode: Mode; readonly label: string; readonly description: string }[] = [
  { mode: 'off', label: 'Off', description: 'Nothing is published.' },
  {
    mode: 'none',
    label: 'None',
    description: 'A policy that asks for nothing, and makes senders forget an earlier one.',
  },
  {
    mode: 'testing',
    label: 'Testing',
    description: 'Senders report where they would have failed, and deliver all the same. Begin with this.',
  },
  {
    mode: 'enforce',
    label: 'Enforce',
    description: 'Senders deliver over verified TLS to the named servers, or not at all.',
  },
]

const DAY = 86_400
const AGES = [
  [DAY, 'One day'],
  [7 * DAY, 'One week'],
  [30 * DAY, '30 days'],
  [182 * DAY, 'Half a year'],
  [31_557_600, 'One year'],
] as const

/** While a record of the policy is not in DNS yet. */
const LOOK_AGAIN_MS = 5000

interface MtaStsProps {
  readonly zoneId: string
  readonly zoneName: string
  readonly domain: string
}

/** What a domain says of TLS to those who send to it. */
export function MtaSts({ zoneId, zoneName, domain }: MtaStsProps) {
  const path = withQuery(routingPath(zoneId, 'mta_sts'), { subdomain: domain })
  const { data: zone } = useAsk<ZoneDetail>(zonePath(zoneId))
  const policy = useQuery({
    queryKey: queryKey(path),
    queryFn: ({ signal }) => ask<MtaStsBody>(path, { signal }),
    refetchInterval: ({ state }) =>
      state.data?.records.some(({ state }) => state !== 'ready') === true && LOOK_AGAIN_MS,
  })
  const duties =
    zone?.dns === 'manual'
      ? 'You publish the records; this service serves the policy.'
      : 'This service publishes the records and serves the policy.'
  return (
    <Section
      title="MTA-STS"
      lead={`Tells servers that send to ${domain} to use verified TLS (RFC 8461). ${duties}`}
    >
      <Asked of={policy}>
        {(policy) => <Policy zoneId={zoneId} zoneName={zoneName} zone={zone} path={path} policy={policy} />}
      </Asked>
    </Section>
  )
}

function Policy({
  zoneId,
  zoneName,
  zone,
  path,
  policy,
}: {
  readonly zoneId: string
  readonly zoneName: string
  readonly zone: ZoneDetail | undefined
  readonly path: string
  readonly policy: MtaStsBody
}) {
  const toasts = useKumoToastManager()
  // One that was switched off says none for a while.
  const present = policy.ends === null ? policy.mode : 'off'
  const [mode, setMode] = useState<Mode>(present)
  const [age, setAge] = useState(policy.max_age)
  const save = useAct(
    () => ask(path, { method: 'PUT', body: { mode, ...(mode !== 'off' && { max_age: age }) } }),
    [routingPath(zoneId)],
  )
  const ages = AGES.some(([seconds]) => seconds === age) ? AGES : [...AGES, [age, `${age} seconds`] as const]
  const isChanged = mode !== present || (mode !== 'off' && age !== policy.max_age)
  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate(undefined, {
      onSuccess: () => toasts.add({ variant: 'success', title: `MTA-STS policy of ${policy.name} saved` }),
    })
  }
  return (
    <>
      <form className="flex max-w-2xl flex-col gap-4" onSubmit={submit}>
        <Radio.Group legend="Mode" appearance="card" value={mode} onValueChange={setMode}>
          {MODES.map(({ mode, label, description }) => (
            <Radio.Item key={mode} value={mode} label={label} description={description} />
          ))}
        </Radio.Group>
        {mode === 'enforce' && policy.mode !== 'enforce' && policy.mode !== 'testing' && (
          <Banner variant="alert" icon={<WarningIcon weight="fill" />}>
            A policy that is wrong has mail refused. Use Testing for some weeks first, and read the TLS
            reports.
          </Banner>
        )}
        {mode !== 'off' && (
          <div className="max-w-xs">
            <Select
              label="Senders keep it for"
              value={age}
              items={ages.map(([value, label]) => ({ value, label }))}
              onValueChange={(seconds) => {
                if (typeof seconds === 'number') setAge(seconds)
              }}
            >
              {ages.map(([seconds, label]) => (
                <Select.Option key={seconds} value={seconds}>
                  {label}
                </Select.Option>
              ))}
            </Select>
          </div>
        )}
        {save.error && <ProblemNote>{problemText(save.error)}</ProblemNote>}
        <div>
          <Button type="submit" variant="primary" loading={save.isPending} disabled={!isChanged}>
            Save policy
          </Button>
        </div>
      </form>
      {policy.ends !== null && (
        <p className="mt-4">
          Switched off; it says none until <Moment at={policy.ends} />, when nobody can hold an earlier policy
          any more.
        </p>
      )}
      {policy.policy !== null && (
        <div className="mt-6 flex flex-col gap-4">
          <ProblemList errors={policy.errors} />
          {zone && <ConflictingRecords zone={zone} errors={policy.errors} />}
          <RecordList
            label="Records that announce the policy"
            records={policy.records}
            zone={zoneName}
            renderState={(record) => <RecordStateBadge record={record} />}
          />
          <p>
            Served at <span className="font-mono text-sm">{policy.policy_url}</span>
          </p>
          <CodeText text={policy.policy} what="the policy" />
        </div>
      )}
    </>
  )
}
