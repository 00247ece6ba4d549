import { z } from 'zod'
import type { UploadMetadata } from '#contract/workers.ts'
import { BINDING_FIELDS, type BindingType, type ShownBindingBody } from '#contract/workers-bindings.ts'
import type { SendEmailRestriction } from '#model/worker.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { ShownBinding, WantedBinding } from '#registry/workers/worker.ts'
import type { Fault } from './fault.ts'
import { unfit } from './workers-faults.ts'

type Uploaded = UploadMetadata['bindings'][number]

/** Types that people know by another name than the upload has. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ai: 'Workers AI',
  d1: 'D1',
  r2_bucket: 'R2',
  durable_object_namespace: 'Durable Objects',
  assets: 'static assets',
  browser: 'Browser Rendering',
  dispatch_namespace: 'Workers for Platforms',
  hyperdrive: 'Hyperdrive',
  images: 'Images',
  mtls_certificate: 'mTLS certificates',
  pipelines: 'Pipelines',
  ratelimit: 'rate limits',
  secrets_store_secret: 'the Secrets Store',
  vectorize: 'Vectorize',
  version_metadata: 'version metadata',
  workflow: 'Workflows',
}

function isOurs(type: string): type is BindingType {
  return Object.hasOwn(BINDING_FIELDS, type)
}

/** A binding of an upload, or what is wrong with it, by its name (DECISIONS, Workers). */
export function readBinding(uploaded: Uploaded, pointer: string): WantedBinding | Fault {
  const { name, type } = uploaded
  if (!isOurs(type)) {
    const what = Object.hasOwn(ELSEWHERE, type) ? ELSEWHERE[type] : `'${type.slice(0, 50)}'`
    return unfit(`Binding '${name}' needs ${what}, which this service does not have.`, pointer)
  }
  const read = readers[type](uploaded)
  if ('binding' in read) return read.binding
  return unfit(`Binding '${name}' of type ${type}: ${read.detail}`, `${pointer}${read.at}`)
}

type Read = { readonly binding: WantedBinding } | { readonly detail: string; readonly at: string }

/** A field that is wrong, in words. */
function wrong({ issues: [issue] }: z.ZodError): Read {
  const field = issue?.path.map(String).join('.') ?? ''
  return {
    detail: `'${field}' must be ${issue?.message ?? 'another'}.`,
    at: `/${field.replaceAll('.', '/')}`,
  }
}

function reader<T>(
  shape: z.ZodType<T>,
  make: (fields: T, uploaded: Uploaded) => WantedBinding | { readonly detail: string; readonly at: string },
) {
  return (uploaded: Uploaded): Read => {
    const fields = shape.safeParse(uploaded, {
      error: ({ input }) => (input === undefined ? 'there' : undefined),
    })
    if (!fields.success) return wrong(fields.error)
    const made = make(fields.data, uploaded)
    return 'detail' in made ? made : { binding: made }
  }
}

const readers: { readonly [T in BindingType]: (uploaded: Uploaded) => Read } = {
  plain_text: reader(BINDING_FIELDS.plain_text, ({ text }, { name }) => ({ name, type: 'plain_text', text })),
  secret_text: reader(BINDING_FIELDS.secret_text, ({ text }, { name }) => ({
    name,
    type: 'secret_text',
    text,
  })),
  json: reader(BINDING_FIELDS.json, ({ json }, { name }) => ({ name, type: 'json', json })),
  kv_namespace: reader(BINDING_FIELDS.kv_namespace, ({ namespace_id }, { name }) => ({
    ...{ name, type: 'kv_namespace', namespaceId: namespace_id },
  })),
  queue: reader(BINDING_FIELDS.queue, ({ queue_name, delivery_delay }, { name }) => ({
    ...{ name, type: 'queue', queueName: queue_name },
    ...(delivery_delay !== undefined && { deliveryDelay: delivery_delay }),
  })),
  analytics_engine: reader(BINDING_FIELDS.analytics_engine, ({ dataset }, { name }) => ({
    ...{ name, type: 'analytics_engine', dataset: dataset ?? name },
  })),
  service: reader(BINDING_FIELDS.service, ({ service, entrypoint }, { name }) => ({
    ...{ name, type: 'service', service, ...(entrypoint !== undefined && { entrypoint }) },
  })),
  send_email: reader(BINDING_FIELDS.send_email, (fields, { name }) => {
    const restriction = readRestriction(fields)
    return 'detail' in restriction ? restriction : { name, type: 'send_email', ...restriction }
  }),
  inherit: reader(BINDING_FIELDS.inherit, ({ old_name }, { name }) => ({
    ...{ name, type: 'inherit', from: old_name ?? name },
  })),
}

function readRestriction(
  fields: z.output<typeof BINDING_FIELDS.send_email>,
): SendEmailRestriction | { readonly detail: string; readonly at: string } {
  const {
    destination_address: one,
    allowed_destination_addresses: to,
    allowed_sender_addresses: from,
  } = fields
  if (one !== undefined && to !== undefined) {
    const detail = "'destination_address' and 'allowed_destination_addresses' do not go together."
    return { detail, at: '/destination_address' }
  }
  const named = [
    ...(one === undefined ? [] : [['/destination_address', one] as const]),
    ...(to ?? []).map((address, index) => [`/allowed_destination_addresses/${index}`, address] as const),
    ...(from ?? []).map((address, index) => [`/allowed_sender_addresses/${index}`, address] as const),
  ]
  for (const [at, text] of named) {
    const address = parseAddress(text)
    if (!isAddress(address)) return { detail: `'${text.slice(0, 100)}': ${address.detail}`, at }
  }
  return {
    ...(one !== undefined && { destinationAddress: one }),
    ...(to && { allowedDestinationAddresses: to }),
    ...(from && { allowedSenderAddresses: from }),
  }
}

/** As it was uploaded, so that a client that compares finds it again; without the text of a secret. */
export function bindingBody(binding: ShownBinding): ShownBindingBody {
  const { name, type } = binding
  switch (binding.type) {
    case 'plain_text':
      return { name, type, text: binding.text }
    case 'secret_text':
      return { name, type }
    case 'json':
      return { name, type, json: binding.json }
    case 'kv_namespace':
      return { name, type, namespace_id: binding.namespaceId }
    case 'queue':
      return {
        ...{ name, type, queue_name: binding.queueName },
        ...(binding.deliveryDelay !== undefined && { delivery_delay: binding.deliveryDelay }),
      }
    case 'analytics_engine':
      return { name, type, dataset: binding.dataset }
    case 'service':
      return {
        ...{ name, type, service: binding.service, environment: 'production' },
        ...(binding.entrypoint !== undefined && { entrypoint: binding.entrypoint }),
      }
    case 'send_email':
      return {
        ...{ name, type },
        ...(binding.destinationAddress !== undefined && { destination_address: binding.destinationAddress }),
        ...(binding.allowedDestinationAddresses && {
          allowed_destination_addresses: [...binding.allowedDestinationAddresses],
        }),
        ...(binding.allowedSenderAddresses && {
          allowed_sender_addresses: [...binding.allowedSenderAddresses],
        }),
      }
  }
}
