import { LinkButton } from '@cloudflare/kumo/components/button'
import { CheckCircleIcon, CircleIcon } from '@phosphor-icons/react'
import type { ReactNode } from 'react'
import { accountPath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'
import { Section } from '../parts/page.tsx'
import { useFirstDomains } from './use-first-domains.ts'

interface Usage {
  readonly months: readonly { readonly month: string; readonly sent: number }[]
}

/** For newcomers: gone once something was sent. */
export function FirstSteps({ accountId }: { readonly accountId: string }) {
  const domains = useFirstDomains(accountId).data?.result
  const usage = useAsk<Usage>(accountPath(accountId, 'email/sending/usage')).data
  if (!domains || !usage || usage.months.some(({ sent }) => sent > 0)) return null
  const own = (path: string) => `/${accountId}${path}`
  const [first] = domains
  return (
    <Section title="First steps" lead="Three steps to the first message, about a minute each.">
      <ol className="flex flex-col gap-4">
        <Step
          isDone={first !== undefined}
          title="Onboard a domain"
          about={
            first === undefined
              ? 'Mail is sent from a domain of yours. You see its DNS records before anything is written.'
              : `${first.name} is set up. You can add one of your own.`
          }
        >
          <LinkButton
            variant={first === undefined ? 'primary' : 'secondary'}
            href={own('/sending/domains/onboard')}
          >
            Onboard a domain
          </LinkButton>
        </Step>
        <Step
          isDone={false}
          title="Send a test"
          about="By hand, beside the same request as curl, Node, Python, SMTP and Worker code."
        >
          <LinkButton variant={first === undefined ? 'secondary' : 'primary'} href={own('/sending/test')}>
            Send a test message
          </LinkButton>
        </Step>
        <Step
          isDone={false}
          title="See it in the log"
          about="Every step of every message: when it was accepted, what the recipient’s server said."
        >
          <LinkButton variant="secondary" href={own('/sending/activity')}>
            Open the log
          </LinkButton>
        </Step>
      </ol>
    </Section>
  )
}

interface StepProps {
  readonly isDone: boolean
  readonly title: string
  readonly about: string
  readonly children: ReactNode
}

function Step({ isDone, title, about, children }: StepProps) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <div className="flex min-w-0 flex-1 basis-64 gap-3">
        {isDone ? (
          <CheckCircleIcon
            size={24}
            weight="fill"
            className="shrink-0 text-kumo-success"
            aria-label="Done:"
          />
        ) : (
          <CircleIcon size={24} className="shrink-0 text-kumo-subtle" aria-hidden />
        )}
        <div className="min-w-0">
          <h3 className="font-semibold">{title}</h3>
          <p className="text-kumo-subtle">{about}</p>
        </div>
      </div>
      {children}
    </li>
  )
}
