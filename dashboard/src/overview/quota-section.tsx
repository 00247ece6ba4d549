import { LinkButton } from '@cloudflare/kumo/components/button'
import { Meter } from '@cloudflare/kumo/components/meter'
import { Asked } from '../parts/asked.tsx'
import { Figure } from '../parts/figure.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { type SendingLimits, useSendingLimits } from './use-sending-limits.ts'

export function QuotaSection({ accountId }: { readonly accountId: string }) {
  const limits = useSendingLimits(accountId)
  return (
    <Section
      title="Daily quota"
      actions={
        <LinkButton variant="secondary" href={`/${accountId}/account/usage`}>
          Usage and limits
        </LinkButton>
      }
    >
      <Asked of={limits}>{(limits) => <Quota limits={limits} />}</Asked>
    </Section>
  )
}

function Quota({ limits: { quota, usage, reason } }: { readonly limits: SendingLimits }) {
  const sent = usage?.sent ?? 0
  return (
    <div className="flex flex-col gap-3">
      {quota === null ? (
        <dl>
          <Figure label="Recipients today (UTC)" value={sent.toLocaleString()} />
        </dl>
      ) : (
        <Meter
          label="Recipients today (UTC)"
          value={Math.min(sent, quota.value)}
          max={quota.value}
          customValue={`${sent.toLocaleString()} / ${quota.value.toLocaleString()}`}
        />
      )}
      <p className="text-kumo-subtle">
        {reason.detail}
        {quota !== null && usage?.resets_at && (
          <>
            {' '}
            Counts anew <Moment at={usage.resets_at} ago />
          </>
        )}
      </p>
    </div>
  )
}
