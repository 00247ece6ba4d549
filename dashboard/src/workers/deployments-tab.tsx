import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Table } from '@cloudflare/kumo/components/table'
import { useState } from 'react'
import type { DeploymentBody, VersionBody } from '#contract/workers.ts'
import { ask, withQuery } from '../api/ask.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { scriptPath } from './script-path.ts'
import { useAuthorName } from './use-author-name.ts'
import { useDeployments } from './use-running-version.ts'
import type { WorkerTabProps } from './worker-page.tsx'

/** What runs, what ran, and what could. */
export function DeploymentsTab({ accountId, worker }: WorkerTabProps) {
  const deployments = useDeployments(accountId, worker.id)
  const versions = useAsk<{ readonly items: readonly VersionBody[] }>(
    withQuery(scriptPath(accountId, worker.id, 'versions'), { per_page: 100 }),
    { every: 5000 },
  )
  const running = deployments.data?.deployments[0]?.versions[0]?.version_id
  const numbers = new Map(versions.data?.items.map(({ id, number }) => [id, number]))
  const [wanted, setWanted] = useState<VersionBody>()
  const deploy = useAct(
    (version_id: string) =>
      ask(scriptPath(accountId, worker.id, 'deployments'), {
        method: 'POST',
        body: { strategy: 'percentage', versions: [{ version_id, percentage: 100 }] },
      }),
    [scriptPath(accountId, worker.id), scriptPath(accountId, '')],
  )
  return (
    <>
      <Section title="Deployments" lead="The last ten; the first is the one that runs.">
        <Asked of={deployments}>
          {({ deployments }) => <DeploymentsTable deployments={deployments} numbers={numbers} />}
        </Asked>
      </Section>
      <Section
        title="Versions"
        lead="Every upload is a version. An older one runs again once it is deployed."
      >
        <Asked of={versions}>
          {({ items }) => <VersionsTable versions={items} running={running} onDeploy={setWanted} />}
        </Asked>
      </Section>
      <ConfirmDialog
        open={wanted !== undefined}
        onOpenChange={() => setWanted(undefined)}
        title={`Deploy version ${wanted?.number ?? ''}?`}
        action="Deploy version"
        onConfirm={async () => wanted && deploy.mutateAsync(wanted.id)}
      >
        It runs at once, with its own bindings and secrets, in place of the version that runs now.
      </ConfirmDialog>
    </>
  )
}

function DeploymentsTable({
  deployments,
  numbers,
}: {
  readonly deployments: readonly DeploymentBody[]
  readonly numbers: ReadonlyMap<string, number>
}) {
  const authorName = useAuthorName(deployments.map(({ author_email: author }) => author))
  return (
    <TableBox label="Deployments">
      <Table>
        <Table.Header>
          <Table.Row>
            <Table.Head>Version</Table.Head>
            <Table.Head>Deployed</Table.Head>
            <Table.Head>By</Table.Head>
            <Table.Head>Message</Table.Head>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {deployments.map(({ id, versions, created_on, author_email, annotations }, index) => {
            const version = versions[0]?.version_id ?? ''
            return (
              <Table.Row key={id}>
                <Table.Cell>
                  <span className="flex items-center gap-2">
                    <VersionName id={version} number={numbers.get(version)} />
                    {index === 0 && <Badge variant="success">Runs</Badge>}
                  </span>
                </Table.Cell>
                <Table.Cell>
                  <Moment at={created_on} />
                </Table.Cell>
                <Table.Cell className="[overflow-wrap:anywhere]">{authorName(author_email)}</Table.Cell>
                <Table.Cell>{annotations['workers/message']}</Table.Cell>
              </Table.Row>
            )
          })}
        </Table.Body>
      </Table>
    </TableBox>
  )
}

function VersionsTable({
  versions,
  running,
  onDeploy,
}: {
  readonly versions: readonly VersionBody[]
  readonly running: string | undefined
  readonly onDeploy: (version: VersionBody) => void
}) {
  return (
    <TableBox label="Versions">
      <Table>
        <Table.Header>
          <Table.Row>
            <Table.Head>Version</Table.Head>
            <Table.Head>Uploaded</Table.Head>
            <Table.Head>Tag and message</Table.Head>
            <Table.Head>
              <span className="sr-only">Actions</span>
            </Table.Head>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {versions.map((version) => {
            const { id, number, metadata, annotations } = version
            const words = [annotations['workers/tag'], annotations['workers/message']]
            return (
              <Table.Row key={id}>
                <Table.Cell>
                  <VersionName id={id} number={number} />
                </Table.Cell>
                <Table.Cell>
                  <Moment at={metadata.created_on} />
                </Table.Cell>
                <Table.Cell>{words.filter(Boolean).join(' · ')}</Table.Cell>
                <Table.Cell>
                  <span className="flex justify-end">
                    {id === running ? (
                      <Badge variant="success">Runs</Badge>
                    ) : (
                      <Button
                        size="sm"
                        aria-label={`Deploy version ${number}`}
                        onClick={() => onDeploy(version)}
                      >
                        Deploy
                      </Button>
                    )}
                  </span>
                </Table.Cell>
              </Table.Row>
            )
          })}
        </Table.Body>
      </Table>
    </TableBox>
  )
}

/** Ids begin with their time: the end tells those of a day apart. */
function VersionName({ id, number }: { readonly id: string; readonly number: number | undefined }) {
  return (
    <span title={id} className="whitespace-nowrap">
      {number === undefined ? '' : `${number} `}
      <span className="font-mono text-sm text-kumo-subtle">{id.slice(-8)}</span>
    </span>
  )
}
