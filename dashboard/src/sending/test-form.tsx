import { Button } from '@cloudflare/kumo/components/button'
import { Input, InputArea } from '@cloudflare/kumo/components/input'
import { PaperPlaneTiltIcon } from '@phosphor-icons/react'
import { type FormEvent, useRef, useState } from 'react'
import type { SendResult } from '#contract/sending.ts'
import { ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useSession } from '../api/session.ts'
import { useAct } from '../api/use-ask.ts'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { SearchSelect } from '../parts/search-select.tsx'
import { AttachmentField } from './attachment-field.tsx'
import { fieldProblem } from './field-problem.ts'
import { testRoute } from './routes.ts'
import { SimulatorChoice } from './simulator-choice.tsx'
import { TestCode } from './test-code.tsx'
import { sendBody, splitAddresses, type TestAttachment, type TestMessage } from './test-message.ts'
import { TestResult } from './test-result.tsx'
import type { SendingDomain } from './use-account-domains.ts'
import { useFocusRefused } from './use-focus-refused.ts'

interface TestFormProps {
  readonly accountId: string
  readonly domains: readonly SendingDomain[]
}

export function TestForm({ accountId, domains }: TestFormProps) {
  const search = testRoute.useSearch()
  const { service, user, development } = useSession()
  const usual = development ? `delivered@simulator.${service.domain}` : (user?.email ?? '')
  const [local, setLocal] = useState('hello')
  const [chosen, setChosen] = useState<string>()
  const usualDomain = domains.find(({ status }) => status === 'ready') ?? domains[0]
  const domain = chosen ?? domains.find(({ name }) => name === search.domain)?.name ?? usualDomain?.name ?? ''
  const [name, setName] = useState('')
  const [to, setTo] = useState(search.to ?? usual)
  const [subject, setSubject] = useState('A test from Posthorn')
  const [text, setText] = useState('It works: this message was sent by hand.')
  const [html, setHtml] = useState('<p>It <strong>works</strong>: this message was sent by hand.</p>')
  const [attachments, setAttachments] = useState<readonly TestAttachment[]>([])
  const message: TestMessage = {
    from: { address: `${local.trim()}@${domain}`, name: name.trim() },
    to: splitAddresses(to),
    ...{ subject, text, html, attachments },
  }
  const send = useAct(
    (message: TestMessage) =>
      ask<SendResult>(`/session/v1/accounts/${accountId}/test-message`, {
        method: 'POST',
        body: sendBody(message, ({ content }) => content),
      }),
    // What it did shows in the log, in the figures and in the quota.
    [`/client/v4/accounts/${accountId}/email`, '/graphql', '/api/v1'],
  )
  const wrong = (field: string) => {
    const detail = fieldProblem(send.error, field)
    return detail === undefined ? {} : { error: detail, 'aria-invalid': true }
  }
  const isAtField = ['from', 'to', 'subject', 'text', 'html'].some((field) => 'error' in wrong(field))

  const form = useRef<HTMLFormElement>(null)
  useFocusRefused(form, send.error)

  function submit(event: FormEvent) {
    event.preventDefault()
    send.mutate(message)
  }

  return (
    <div className="grid items-start gap-x-6 xl:grid-cols-2">
      <div className="min-w-0">
        <Section title="Message">
          <form ref={form} className="flex flex-col gap-4" onSubmit={submit}>
            <div className="grid gap-4 sm:grid-cols-2">
              <Input
                label="From"
                value={local}
                autoComplete="off"
                autoCapitalize="none"
                required
                {...wrong('from')}
                onChange={({ target }) => setLocal(target.value)}
              />
              <SearchSelect
                label="At domain"
                search="Search domains"
                items={domains.map(({ name }) => ({ value: name, label: name }))}
                value={domain}
                onChange={setChosen}
              />
            </div>
            <Input
              label="Sender name"
              required={false}
              value={name}
              autoComplete="off"
              onChange={({ target }) => setName(target.value)}
            />
            <Input
              label="To"
              description="Several with commas between them, 50 at most."
              value={to}
              autoComplete="off"
              autoCapitalize="none"
              required
              {...wrong('to')}
              onChange={({ target }) => setTo(target.value)}
            />
            <SimulatorChoice onChoose={setTo} />
            <Input
              label="Subject"
              value={subject}
              autoComplete="off"
              {...wrong('subject')}
              onChange={({ target }) => setSubject(target.value)}
            />
            <InputArea
              label="Text"
              rows={3}
              value={text}
              {...wrong('text')}
              onChange={({ target }) => setText(target.value)}
            />
            <InputArea
              label="HTML"
              rows={4}
              className="font-mono text-sm"
              spellCheck={false}
              value={html}
              {...wrong('html')}
              onChange={({ target }) => setHtml(target.value)}
            />
            <AttachmentField value={attachments} onChange={setAttachments} />
            {send.error && !isAtField && <ProblemNote>{problemText(send.error)}</ProblemNote>}
            <div>
              <Button
                type="submit"
                variant="primary"
                icon={<PaperPlaneTiltIcon aria-hidden />}
                loading={send.isPending}
              >
                Send
              </Button>
            </div>
          </form>
        </Section>
      </div>
      <div className="min-w-0">
        {send.data && <TestResult key={send.data.message_id} accountId={accountId} result={send.data} />}
        <TestCode accountId={accountId} message={message} />
      </div>
    </div>
  )
}
