import type { Surface } from './openapi.ts'
import { OPERATOR_RESOURCES, RESOURCES } from './resources.ts'

const ENVELOPE = `Every answer is JSON: \`success\`, \`result\`, \`errors\` and \`messages\`, and of a list \`result_info\`. An answer of
200 has \`success: true\`; any other status has \`success: false\`, a code, and in \`error_chain\` a sentence for people. Bodies are JSON,
whatever their Content-Type says.`

/** The API of accounts: the original's, and what is ours beside it. */
export const ACCOUNT_SURFACE: Surface = {
  title: 'Posthorn API',
  about: `Sending and receiving mail, and everything that is set up for it.

Send an API token as \`Authorization: Bearer <token>\`, or a user’s address and API key as \`X-Auth-Email\` and \`X-Auth-Key\`. What is
another account’s answers as what does not exist.

${ENVELOPE}

Lists go on by \`page\` and \`per_page\` until a page is empty, or by the \`cursor\` of \`result_info\` until it is null.`,
  base: '/client/v4',
  resources: RESOURCES,
  security: [{ apiToken: [] }, { apiEmail: [], apiKey: [] }],
  securitySchemes: {
    apiToken: { type: 'http', scheme: 'bearer', description: 'An API token, of a user or of an account.' },
    apiEmail: { type: 'apiKey', in: 'header', name: 'X-Auth-Email', description: 'The address of a user.' },
    apiKey: { type: 'apiKey', in: 'header', name: 'X-Auth-Key', description: 'The API key of that user.' },
  },
}

/** What whoever runs the installation has. */
export const OPERATOR_SURFACE: Surface = {
  title: 'Posthorn operator API',
  about: `The whole installation, for whoever runs it. No account’s token opens it, and its token opens nothing else.

Send the operator token as \`Authorization: Bearer <token>\`.

${ENVELOPE}

Lists go on by the \`cursor\` of \`result_info\` until it is null. A duration is a number and s, m, h or d.`,
  base: '/operator/v1',
  resources: OPERATOR_RESOURCES,
  security: [{ operatorToken: [] }],
  securitySchemes: {
    operatorToken: { type: 'http', scheme: 'bearer', description: 'The token in the operator’s file.' },
  },
}
