import type { WebhookWithSecretBody } from '#contract/webhooks.ts'
import { CodeText } from '../parts/code-text.tsx'
import { Section } from '../parts/page.tsx'

/** The one time that a signing secret is shown. */
export function WebhookSecret({ webhook }: { readonly webhook: WebhookWithSecretBody }) {
  return (
    <Section
      title="The signing secret"
      lead="Give it to the receiver now: it is shown this once. Any library for Standard Webhooks checks signatures with it."
    >
      <CodeText text={webhook.secret} what="the signing secret" />
    </Section>
  )
}
