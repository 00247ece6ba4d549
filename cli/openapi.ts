import { Command } from 'commander'
import { openApi } from '#contract/openapi.ts'
import { ACCOUNT_SURFACE, OPERATOR_SURFACE } from '#contract/surfaces.ts'

/** `posthorn openapi`: the document of this version, with no server running. */
export function openApiCommand(): Command {
  return new Command('openapi')
    .description('write the API as a document of OpenAPI 3.1 to standard output')
    .option('--operator', 'the operator’s API, not that of accounts')
    .action(({ operator = false }: { readonly operator?: boolean }) => {
      const document = openApi(operator ? OPERATOR_SURFACE : ACCOUNT_SURFACE)
      process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
    })
}
