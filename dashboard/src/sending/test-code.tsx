import { Link } from '@cloudflare/kumo/components/link'
import { Tabs } from '@cloudflare/kumo/components/tabs'
import { useSession } from '../api/session.ts'
import { CodeText } from '../parts/code-text.tsx'
import { Section } from '../parts/page.tsx'
import { type CodePlace, isRequestCode, REQUEST_CODES } from './request-code.ts'
import { testRoute } from './routes.ts'
import type { TestMessage } from './test-message.ts'

interface TestCodeProps {
  readonly accountId: string
  readonly message: TestMessage
}

/** The message as programs send it, as it is typed. */
export function TestCode({ accountId, message }: TestCodeProps) {
  const { code } = testRoute.useSearch()
  const navigate = testRoute.useNavigate()
  const { service } = useSession()
  const shown = isRequestCode(code) ? code : 'curl'
  const place: CodePlace = {
    api: `${service.public_url}/client/v4`,
    accountId,
    submission: service.submission,
    ca: service.ca,
  }
  const { label, write } = REQUEST_CODES[shown]
  return (
    <Section
      title="The same as code"
      lead={
        <>
          Each reads an <Link href={`/${accountId}/account/tokens`}>API token</Link> with “Email Sending:
          Edit” from the variable API_TOKEN.
        </>
      }
    >
      <Tabs
        className="mb-4"
        size="sm"
        tabs={Object.entries(REQUEST_CODES).map(([value, { label }]) => ({ value, label }))}
        value={shown}
        onValueChange={(code) =>
          void navigate({ search: (before) => ({ ...before, code }), replace: true, resetScroll: false })
        }
      />
      <CodeText text={write(message, place)} what={`the request as ${label}`} />
    </Section>
  )
}
