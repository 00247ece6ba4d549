import type { Refusal } from '#model/refusal.ts'
import type { Fields, Raw } from '#outbound/accept/submission.ts'
import type { OutgoingMessage } from '#workers/runtime/host-services.ts'
import { readBuilder } from './read-builder.ts'

/** What a Worker gave to `send()` or `reply()`, as accept takes it; or what is wrong with its form. */
export function readOutgoing(message: OutgoingMessage): Fields | Raw | Refusal {
  return message.kind === 'builder' ? readBuilder(message.fields) : readEmailMessage(message)
}

/** `new EmailMessage(from, to, raw)`. */
function readEmailMessage({ from, to, raw }: OutgoingMessage & { readonly kind: 'raw' }): Raw | Refusal {
  for (const [name, value] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (value === undefined || value === null) {
      const detail = `'${name}' is missing; new EmailMessage(from, to, raw) takes it as a string.`
      return { kind: 'field-missing', pointer: `/${name}`, detail }
    }
  }
  if (typeof from !== 'string') return noString('from')
  if (typeof to !== 'string') return noString('to')
  return {
    kind: 'raw',
    from: { address: from, pointer: '/from' },
    recipients: [{ address: to, pointer: '/to' }],
    mime: raw,
    mimePointer: '/raw',
  }
}

function noString(name: string): Refusal {
  const detail = `'${name}' of an EmailMessage must be an address as a string.`
  return { kind: 'field-invalid', pointer: `/${name}`, detail }
}
