import { Link } from '@cloudflare/kumo/components/link'
import { useSession } from '../api/session.ts'
import { CodeText } from '../parts/code-text.tsx'
import { useAccount } from '../shell/use-account.ts'

/** How `wrangler` deploys to this instance and this account. */
export function DeployHint() {
  const { id } = useAccount()
  const { service } = useSession()
  const command = [
    `export CLOUDFLARE_API_BASE_URL=${service.public_url}/client/v4`,
    `export CLOUDFLARE_ACCOUNT_ID=${id}`,
    'export CLOUDFLARE_API_TOKEN=<your API token>',
    'npx wrangler deploy',
  ].join('\n')
  return (
    <div className="flex w-full max-w-2xl flex-col gap-2 text-left">
      <p>
        In the folder of a Worker, with one of your <Link href={`/${id}/account/tokens`}>API tokens</Link>{' '}
        that may edit Workers:
      </p>
      <CodeText text={command} what="the commands that deploy a Worker" />
    </div>
  )
}
