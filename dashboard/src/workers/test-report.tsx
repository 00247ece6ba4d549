import { Badge } from '@cloudflare/kumo/components/badge'
import { Link } from '@cloudflare/kumo/components/link'
import { type ReactNode, useEffect, useRef } from 'react'
import type { WorkerTestReport } from '#contract/workers-tests.ts'
import { useSession } from '../api/session.ts'
import { CodeText } from '../parts/code-text.tsx'
import { Section } from '../parts/page.tsx'
import { LogLines } from './log-lines.tsx'
import { OutcomeBadge } from './outcome-badge.tsx'
import { linesOf } from './tail-event.ts'

/** What a Worker did with a message. */
export function TestReport({ report }: { readonly report: WorkerTestReport }) {
  const { service } = useSession()
  const place = useRef<HTMLDivElement>(null)
  // It stands below a form that fills the screen of a phone.
  useEffect(() => {
    place.current?.scrollIntoView({ block: 'nearest' })
  }, [])
  const { outcome, rejectReason, error, forwards, replies } = report
  const nothing =
    forwards.length === 0 && replies.length === 0 && rejectReason === undefined && outcome === 'ok'
  return (
    <div ref={place}>
      <Section title="What it did">
        <p role="status" className="mb-4 flex flex-wrap items-center gap-2">
          <OutcomeBadge outcome={outcome} />
          {rejectReason !== undefined && (
            <>
              <Badge variant="warning">Rejected</Badge> with “{rejectReason}”
            </>
          )}
          {error !== undefined && <span className="break-all text-kumo-danger">{error}</span>}
          {nothing && 'It took the message, and neither forwarded nor replied nor rejected.'}
        </p>
        {forwards.length > 0 && (
          <Part title="Forwards">
            <ul className="flex flex-col gap-2">
              {forwards.map(({ recipient, headers }, index) => (
                <li key={`${recipient} ${index}`}>
                  <span className="font-mono text-sm">{recipient}</span>
                  {headers.map(([name, value]) => (
                    <code key={name} className="block font-mono text-sm break-all text-kumo-subtle">
                      {name}: {value}
                    </code>
                  ))}
                </li>
              ))}
            </ul>
          </Part>
        )}
        {replies.map(({ messageId, sender, raw }) => (
          <Part key={messageId} title={`Reply from ${sender}`}>
            <CodeText text={raw} what="the reply" />
          </Part>
        ))}
        <Part title="Logs">
          <LogLines lines={linesOf(report)} />
        </Part>
        {service.inbox && (forwards.length > 0 || replies.length > 0) && (
          <p className="text-kumo-subtle">
            What it forwarded and replied is in the <Link href="/inbox">inbox</Link>.
          </p>
        )}
      </Section>
    </div>
  )
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="mb-4">
      <h3 className="mb-2 font-semibold">{title}</h3>
      {children}
    </div>
  )
}
