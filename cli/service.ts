import { Command } from 'commander'
import { checkServiceDomain, getServiceDomain, type ServiceDomainBody } from '#contract/service-domain.ts'
import { EXIT } from './exit-codes.ts'
import { type Connection, type OperatorClient, openOperatorClient } from './operator-client.ts'
import type { Page } from './page.ts'
import { runAction } from './run-action.ts'
import { type Shown, showResult } from './show-result.ts'
import { fromNow, plain, textTable } from './text-table.ts'
import { wrapText } from './wrap-text.ts'

interface CheckOptions extends Connection, Shown {
  readonly last?: true
}

/** `posthorn service`: what belongs to the installation itself, as a client of `/operator/v1`. */
export function serviceCommand(): Command {
  const service = new Command('service')
    .description("see to what customers' mail depends on")
    .showHelpAfterError()
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage))
    .addHelpText('after', HELP)
  service
    .command('check')
    .description("look at the service domain's own DNS records and policy now, and say what is wrong")
    .option('--last', 'what the last look found, in place of a new one')
    .option('--json', 'for machines: the result as JSON')
    .option('--no-json', 'for people, also in a pipe')
    .option('--url <url>', 'the server; by default from dev.json in the data folder')
    .option(
      '--token-file <path>',
      'by default POSTHORN_OPERATOR_TOKEN_FILE, or operator-token in the data folder',
    )
    .option('--data <folder>', 'the data folder; by default POSTHORN_DATA, or ./.posthorn')
    .action(runAction<CheckOptions, OperatorClient, []>(openOperatorClient, check))
  return service
}

const HELP = `
Exit codes:
  0   all is in order
  1   something is not, or the server failed
  2   the command line is wrong
  69  no server, or no token for it`

async function check(client: OperatorClient, options: CheckOptions): Promise<void> {
  const found = options.last
    ? await client.call<ServiceDomainBody>('GET', getServiceDomain.path)
    : await client.call<ServiceDomainBody>('POST', checkServiceDomain.path)
  showResult(found, options, (page) => checkText(found, page))
  if (!found.ready) process.exitCode = EXIT.refused
}

function checkText({ domain, ready, checked_at: at, items }: ServiceDomainBody, page: Page): string {
  const table = textTable(
    ['STATE', 'WHAT', 'NAME'],
    items.map(({ state, subject, name }) => [state, subject, name]),
    page.width,
  )
  const advice = items.flatMap(({ advice: sentence }) => (sentence === null ? [] : [plain(sentence)]))
  const verdict = ready ? 'is in order' : 'is not in order'
  return [
    wrapText(plain(`The service domain ${domain} ${verdict} (${fromNow(at, page.now)}).`), page.width),
    table,
    ...(advice.length > 0
      ? [advice.map((sentence) => wrapText(`- ${sentence}`, page.width, '  ')).join('\n')]
      : []),
  ].join('\n\n')
}
