import { Badge } from '@cloudflare/kumo/components/badge'
import type { TimelineEvent } from '#contract/messages.ts'
import { causeText } from '../parts/cause-text.ts'
import { CodeText } from '../parts/code-text.tsx'
import { visibleText } from '../parts/visible-text.ts'
import { type Fact, Facts } from './facts.tsx'
import { MessageLink } from './message-link.tsx'
import { RuleName } from './rule-name.tsx'

type Routing = NonNullable<TimelineEvent['routing']>

interface RoutingDetailsProps {
  readonly accountId: string
  readonly routing: Routing
}

const ACTIONS = {
  forward: 'Send to an email',
  worker: 'Send to a Worker',
  drop: 'Drop',
  return: 'Returned mail, brought back to its sender',
  none: 'None',
} as const satisfies Record<Routing['action'], string>

/** What routing decided about mail that came in, and what its sender had proven. */
export function RoutingDetails({ accountId, routing }: RoutingDetailsProps) {
  const { worker } = routing
  const facts: readonly (Fact | undefined)[] = [
    ['Came in for', <bdi key="to">{visibleText(routing.recipient)}</bdi>],
    ['Action', ACTIONS[routing.action]],
    [
      'Rule',
      routing.rule_id === null ? (
        'None matched'
      ) : (
        <RuleName key="rule" accountId={accountId} ruleId={routing.rule_id} recipient={routing.recipient} />
      ),
    ],
    routing.reason === undefined ? undefined : ['Reason', visibleText(routing.reason)],
    ['Came from', `${routing.remote_address}, SMTP session ${routing.session_id}`],
  ]
  return (
    <>
      <Verdicts of={routing} />
      <Facts of={facts.filter((fact) => fact !== undefined)} />
      {worker && <WorkerOutcome accountId={accountId} worker={worker} />}
    </>
  )
}

const TONES: Readonly<Record<string, 'success' | 'error'>> = {
  ...{ pass: 'success', fail: 'error', permerror: 'error' },
}

function Verdicts({ of }: { readonly of: Routing }) {
  const results = (['spf', 'dkim', 'dmarc', 'arc'] as const).map((name) => [name, of[name]] as const)
  if (results.every(([, result]) => result === undefined))
    return <p className="mt-2 text-sm text-kumo-subtle">It ended before its authentication was checked.</p>
  return (
    <ul aria-label="Authentication results" className="mt-2 flex flex-wrap gap-2">
      {results.map(([name, result = 'not checked']) => (
        <li key={name}>
          <Badge variant={TONES[result] ?? 'secondary'}>
            {name.toUpperCase()} {result}
          </Badge>
        </li>
      ))}
      {of.is_spam && (
        <li>
          <Badge variant="error">Spam</Badge>
        </li>
      )}
      {of.is_ndr && (
        <li>
          <Badge variant="secondary">Non-delivery report</Badge>
        </li>
      )}
    </ul>
  )
}

function WorkerOutcome({ accountId, worker }: { accountId: string; worker: NonNullable<Routing['worker']> }) {
  const { script_name: name, outcome, error, forwards, reply_message_id: reply } = worker
  return (
    <div className="mt-3 rounded-lg border border-kumo-hairline p-3 text-sm">
      <p>
        The Worker <strong>{name}</strong>: {causeText(outcome).toLowerCase()}
      </p>
      {forwards.length > 0 && (
        <ul className="mt-2">
          {forwards.map(({ destination, message_id: id }) => (
            <li key={id}>
              Forwarded to{' '}
              <MessageLink accountId={accountId} id={id}>
                {visibleText(destination)}
              </MessageLink>
            </li>
          ))}
        </ul>
      )}
      {reply !== undefined && (
        <p className="mt-2">
          <MessageLink accountId={accountId} id={reply}>
            Its reply
          </MessageLink>
        </p>
      )}
      {error && (
        <div className="mt-2">
          <CodeText
            text={visibleText(error.stack ?? `${error.name}: ${error.message}`)}
            what="the exception"
          />
        </div>
      )}
    </div>
  )
}
