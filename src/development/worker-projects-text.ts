import type { ProjectAtWork } from './worker-project-at-work.ts'

/** Where things are, as URLs without a path. */
export interface ProjectDoors {
  /** `http://localhost:8787` */
  readonly workers: string
}

interface Surroundings extends ProjectDoors {
  /** A domain that has mail here. */
  readonly zone: string
  /** Below it each Worker has a host name. */
  readonly host: string
}

/** What a developer sees of the Workers after the start: where each is, what is wrong, and commands to try. */
export function projectsText(projects: readonly ProjectAtWork[], where: Surroundings): string {
  const parts = projects.map((project, index) => projectText(project, index === 0, where))
  return `  Workers, reloaded when their files change:\n\n${parts.join('\n')}\n${tries(projects, where)}`
}

function urlOf(
  { name }: Pick<ProjectAtWork, 'name'>,
  isFirst: boolean,
  { workers, host }: Surroundings,
): string {
  return isFirst ? workers : `http://${name}.${host}:${new URL(workers).port}`
}

function projectText(project: ProjectAtWork, isFirst: boolean, where: Surroundings): string {
  const { name, handlers, problem, runs, remarks } = project
  const lines = [`    ${name}   ${urlOf(project, isFirst, where)}`]
  if (runs)
    lines.push(
      `      ${handlers.map((handler) => `${handler}()`).join(', ') || 'no handlers'}${mailOf(project)}`,
    )
  if (problem !== undefined) {
    lines.push(`      ${runs ? 'what is here does not run; a version before does' : 'does not run yet'}:`, '')
    lines.push(
      ...problem
        .trim()
        .split('\n')
        .map((line) => (line === '' ? '' : `      ${line}`)),
      '',
    )
  }
  for (const remark of remarks) lines.push(...`▲ ${remark}`.split('\n').map((line) => `      ${line}`))
  return `${lines.join('\n')}\n`
}

function mailOf({ project: { addresses, catchAlls, consumers, crons } }: ProjectAtWork): string {
  const mail = [...addresses, ...catchAlls.map((domain) => `*@${domain}`)]
  const queues = consumers.map(({ queue }) => queue)
  return [
    ...(mail.length > 0 ? [`; mail for ${mail.join(', ')}`] : []),
    ...(queues.length > 0 ? [`; queue ${queues.join(', ')}`] : []),
    ...(crons.length > 0 ? [`; cron ${crons.join(', ')}`] : []),
  ].join('')
}

function tries(projects: readonly ProjectAtWork[], where: Surroundings): string {
  const withHandler = (handler: string) =>
    projects.findIndex(({ runs, handlers }) => runs && handlers.includes(handler))
  const url = (index: number) => {
    const project = projects[index]
    return project ? urlOf(project, index === 0, where) : where.workers
  }
  const [byFetch, byEmail, byCron] = [withHandler('fetch'), withHandler('email'), withHandler('scheduled')]
  const to = projects[byEmail]?.project.addresses[0] ?? `hello@${where.zone}`
  const lines = [
    ...(byFetch < 0 ? [] : [`    curl ${url(byFetch)}`, '']),
    ...(byEmail < 0
      ? []
      : [
          `    printf 'From: sender@example.com\\nTo: ${to}\\nSubject: Hello\\nMessage-ID: <1@example.com>\\n\\nHi there\\n' |`,
          `      curl --data-binary @- "${url(byEmail)}/cdn-cgi/handler/email?from=sender@example.com&to=${to}"`,
          '',
        ]),
    ...(byCron < 0 ? [] : [`    curl ${url(byCron)}/cdn-cgi/handler/scheduled`, '']),
  ]
  return lines.length === 0 ? '' : `  Try them:\n\n${lines.join('\n')}\n`
}
