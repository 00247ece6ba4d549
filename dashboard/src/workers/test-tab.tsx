import { Banner } from '@cloudflare/kumo/components/banner'
import { Button } from '@cloudflare/kumo/components/button'
import { Input, InputArea } from '@cloudflare/kumo/components/input'
import { Switch } from '@cloudflare/kumo/components/switch'
import { InfoIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { AccountRuleResult } from '#contract/rules.ts'
import type { WorkerTestReport } from '#contract/workers-tests.ts'
import { accountPath, ask } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useSession } from '../api/session.ts'
import { useAct } from '../api/use-ask.ts'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { useZones } from '../parts/use-zones.ts'
import { composeMessage } from './compose-message.ts'
import { scriptPath } from './script-path.ts'
import { TestReport } from './test-report.tsx'
import type { WorkerTabProps } from './worker-page.tsx'

interface Asked {
  readonly from: string
  readonly to: string
  readonly raw: string
}

/** Hands the Worker a message, and shows what it did with it. */
export function TestTab({ accountId, worker }: WorkerTabProps) {
  const { user } = useSession()
  const recipient = useRecipient(accountId, worker.id)
  const [from, setFrom] = useState(user?.email ?? 'someone@example.com')
  const [to, setTo] = useState<string>()
  const [subject, setSubject] = useState('A test')
  const [text, setText] = useState('Hello!')
  const [raw, setRaw] = useState<string>()
  const test = useAct(
    (body: Asked) =>
      ask<WorkerTestReport>(scriptPath(accountId, worker.id, 'test-message'), { method: 'POST', body }),
    [],
  )
  const envelope = { from: from.trim(), to: (to ?? recipient).trim() }
  const compose = () => composeMessage({ ...envelope, subject, text }, new Date(), crypto.randomUUID())
  const problem = test.error
  const at = (pointer: string) => {
    const error = problem instanceof Problem ? problem.at(pointer) : undefined
    return error === undefined ? {} : { error }
  }
  const isAtField = ['/from', '/to', '/raw'].some((pointer) => 'error' in at(pointer))
  return (
    <>
      <Section
        title="Send a test message into it"
        lead="Its email() runs with this message, and its bindings are the real ones. What it forwards and replies is shown here and in the inbox, and reaches nobody."
      >
        {!worker.handlers.includes('email') && (
          <Banner variant="alert" icon={<InfoIcon weight="fill" />} className="mb-4">
            This Worker has no email() handler, so a message to it fails.
          </Banner>
        )}
        <form
          className="flex max-w-2xl flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            test.mutate({ ...envelope, raw: raw ?? compose() })
          }}
        >
          <div className="grid items-start gap-4 sm:grid-cols-2">
            <Input
              label="From"
              value={from}
              autoComplete="off"
              required
              onChange={(event) => setFrom(event.target.value)}
              {...at('/from')}
            />
            <Input
              label="To"
              value={to ?? recipient}
              autoComplete="off"
              required
              onChange={(event) => setTo(event.target.value)}
              {...at('/to')}
            />
          </div>
          <Switch
            size="sm"
            label="Edit the raw message"
            checked={raw !== undefined}
            onCheckedChange={(isRaw) => setRaw(isRaw ? compose() : undefined)}
          />
          {raw === undefined ? (
            <>
              <Input label="Subject" value={subject} onChange={(event) => setSubject(event.target.value)} />
              <InputArea
                label="Text"
                rows={4}
                value={text}
                onChange={(event) => setText(event.target.value)}
                {...at('/raw')}
              />
            </>
          ) : (
            <InputArea
              label="Raw message"
              rows={14}
              className="font-mono text-sm"
              spellCheck={false}
              value={raw}
              onChange={(event) => setRaw(event.target.value)}
              {...at('/raw')}
            />
          )}
          {problem && !isAtField && <ProblemNote>{problemText(problem)}</ProblemNote>}
          <div>
            <Button type="submit" variant="primary" loading={test.isPending}>
              Send test message
            </Button>
          </div>
        </form>
      </Section>
      {test.data && <TestReport key={test.submittedAt} report={test.data} />}
    </>
  )
}

/** An address whose mail comes to the Worker, or could. */
function useRecipient(accountId: string, script: string): string {
  const { data: rules } = useEveryPage<AccountRuleResult>(accountPath(accountId, 'email/routing/rules'))
  const { data: zones } = useZones(accountId)
  const leading = rules?.find(
    ({ actions: [action] }) => action?.type === 'worker' && action.value?.[0] === script,
  )
  return leading?.matchers[0]?.value ?? `support@${zones?.[0]?.name ?? 'example.com'}`
}
