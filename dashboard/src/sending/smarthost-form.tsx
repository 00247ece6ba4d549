import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { useState } from 'react'
import type { PutSmarthost, SmarthostBody } from '#contract/smarthost.ts'
import { ask } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { FormDialog } from '../parts/form-dialog.tsx'

const TLS = { implicit: 'TLS from the first byte', starttls: 'STARTTLS', none: 'None' } as const
const PORTS = { implicit: '465', starttls: '587', none: '25' } as const

const FIELDS = ['host', 'tls', 'port', 'username', 'password'] as const

interface SmarthostFormProps {
  readonly base: string
  readonly path: string
  readonly title: string
  readonly present: SmarthostBody | undefined
  readonly onOpenChange: (open: boolean) => void
}

export function SmarthostForm({ base, path, title, present, onOpenChange }: SmarthostFormProps) {
  const [host, setHost] = useState(present?.host ?? '')
  const [tls, setTls] = useState<SmarthostBody['tls']>(present?.tls ?? 'starttls')
  const [port, setPort] = useState(present ? String(present.port) : '')
  const [username, setUsername] = useState(present?.username ?? '')
  const [password, setPassword] = useState('')
  const save = useAct((body: PutSmarthost) => ask(path, { method: 'PUT', body }), [base])
  const wrong = (field: (typeof FIELDS)[number]) => {
    const detail = save.error instanceof Problem ? save.error.at(`/${field}`) : undefined
    return detail === undefined ? {} : { error: detail, 'aria-invalid': true }
  }
  const isAtField = FIELDS.some((field) => 'error' in wrong(field))
  /** What was wrong was of what the field said then. */
  const change = <Value,>(set: (value: Value) => void, value: Value) => {
    save.reset()
    set(value)
  }
  return (
    <FormDialog
      open
      onOpenChange={onOpenChange}
      title={title}
      lead="Test the connection once it is set."
      action="Save smarthost"
      // Once is enough.
      about={
        isAtField ? `at its field ${save.submittedAt}` : [host, tls, port, username, password].join('\n')
      }
      onSubmit={() =>
        save.mutateAsync({
          host: host.trim(),
          tls,
          ...(port !== '' && { port: Number(port) }),
          ...(username !== '' && { username, password }),
        })
      }
    >
      <Input
        label="Host"
        placeholder="relay.example.net"
        value={host}
        autoComplete="off"
        autoCapitalize="none"
        required
        {...wrong('host')}
        onChange={({ target }) => change(setHost, target.value)}
      />
      <div className="grid items-start gap-4 sm:grid-cols-2">
        <Select
          label="TLS"
          className="w-full"
          items={TLS}
          value={tls}
          onValueChange={(value) => change(setTls, value ?? 'starttls')}
          {...wrong('tls')}
        />
        <Input
          label="Port"
          inputMode="numeric"
          pattern="[0-9]*"
          placeholder={PORTS[tls]}
          value={port}
          autoComplete="off"
          {...wrong('port')}
          onChange={({ target }) => change(setPort, target.value)}
        />
      </div>
      <Input
        label="User name"
        description="Empty where the relay knows this server by its address."
        value={username}
        autoComplete="off"
        autoCapitalize="none"
        {...wrong('username')}
        onChange={({ target }) => change(setUsername, target.value)}
      />
      {username !== '' && (
        <Input
          label="Password"
          type="password"
          description={present ? 'Give it again: it is never shown, and does not stay by itself.' : undefined}
          value={password}
          // A browser would put the reader's own in.
          autoComplete="new-password"
          required
          {...wrong('password')}
          onChange={({ target }) => change(setPassword, target.value)}
        />
      )}
    </FormDialog>
  )
}
