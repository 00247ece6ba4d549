import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { SensitiveInput } from '@cloudflare/kumo/components/sensitive-input'
import { useState } from 'react'
import type { PutSmarthost, SmarthostBody } from '#contract/smarthost.ts'
import { ask } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { FormDialog } from '../parts/form-dialog.tsx'

const TLS = { implicit: 'TLS from the first byte', starttls: 'STARTTLS', none: 'None' } as const
const PORTS = { implicit: '465', starttls: '587', none: '25' } as const

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
  const wrong = (field: string) => {
    const detail = save.error instanceof Problem ? save.error.at(`/${field}`) : undefined
    return detail === undefined ? {} : { error: detail }
  }
  return (
    <FormDialog
      open
      onOpenChange={onOpenChange}
      title={title}
      lead="Test the connection once it is set."
      action="Save smarthost"
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
        onChange={({ target }) => setHost(target.value)}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Select
          label="TLS"
          items={TLS}
          value={tls}
          onValueChange={(value) => setTls(value ?? 'starttls')}
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
          onChange={({ target }) => setPort(target.value)}
        />
      </div>
      <Input
        label="User name"
        description="Empty where the relay knows this server by its address."
        value={username}
        autoComplete="off"
        autoCapitalize="none"
        {...wrong('username')}
        onChange={({ target }) => setUsername(target.value)}
      />
      {username !== '' && (
        <SensitiveInput
          label="Password"
          description={present ? 'Give it again: it is never shown, and does not stay by itself.' : undefined}
          value={password}
          autoComplete="off"
          required
          {...wrong('password')}
          onChange={({ target }) => setPassword(target.value)}
        />
      )}
    </FormDialog>
  )
}
