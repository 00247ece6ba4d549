import { CodeText } from '../parts/code-text.tsx'
import { Section } from '../parts/page.tsx'

/** A secret that was just made, and of which token. */
export interface MadeSecret {
  readonly name: string
  readonly value: string
}

/** The one time that a token's secret is shown. */
export function NewSecret({ made }: { readonly made: MadeSecret }) {
  return (
    <Section
      title={`The secret of ${made.name}`}
      lead="Keep it now: it is shown this once and stored nowhere."
    >
      <CodeText text={made.value} what="the secret of the token" />
      <div className="mt-4">
        <CodeText
          text={`curl "${location.origin}/client/v4/user/tokens/verify" \\\n  -H "Authorization: Bearer ${made.value}"`}
          what="a request that tries it, as curl"
        />
      </div>
    </Section>
  )
}
