import type { DeploymentBody, WholeVersionBody } from '#contract/workers.ts'
import { useAsk } from '../api/use-ask.ts'
import { scriptPath } from './script-path.ts'

export interface Deployments {
  /** The one that runs first. */
  readonly deployments: readonly DeploymentBody[]
}

export function useDeployments(accountId: string, script: string) {
  return useAsk<Deployments>(scriptPath(accountId, script, 'deployments'), { every: 5000 })
}

/** The version that runs now, with what it is bound to. */
export function useRunningVersion(accountId: string, script: string) {
  const { data } = useDeployments(accountId, script)
  const id = data?.deployments[0]?.versions[0]?.version_id
  return useAsk<WholeVersionBody>(scriptPath(accountId, script, 'versions', id ?? ''), {
    enabled: id !== undefined,
    keepPrevious: true,
  })
}
