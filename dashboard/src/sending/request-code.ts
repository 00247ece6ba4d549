import { Expression, literal, shellWord } from './code-literal.ts'
import { mailFile } from './mail-file.ts'
import { sendBody, type TestMessage } from './test-message.ts'

/** Where a program sends to. */
export interface CodePlace {
  /** `http://localhost:8025/client/v4` */
  readonly api: string
  readonly accountId: string
  readonly submission: { readonly host: string; readonly port: number }
  /** The certificate authority that clients have to be told of; absent where they know it. */
  readonly ca?: string | undefined
}

/** Each reads the token from the variable `API_TOKEN`, and attachments from files beside it. */
export const REQUEST_CODES = {
  curl: { label: 'curl', write: curl },
  fetch: { label: 'Node (fetch)', write: nodeFetch },
  sdk: { label: 'Node (SDK)', write: nodeSdk },
  python: { label: 'Python', write: python },
  'smtp-curl': { label: 'SMTP (curl)', write: smtpCurl },
  'smtp-swaks': { label: 'SMTP (swaks)', write: smtpSwaks },
  worker: { label: 'Worker', write: worker },
} as const satisfies Record<
  string,
  { readonly label: string; readonly write: (message: TestMessage, place: CodePlace) => string }
>

export type RequestCode = keyof typeof REQUEST_CODES

export function isRequestCode(value: unknown): value is RequestCode {
  return typeof value === 'string' && Object.hasOwn(REQUEST_CODES, value)
}

function sendUrl({ api, accountId }: CodePlace): string {
  return `${api}/accounts/${accountId}/email/sending/send`
}

function curl(message: TestMessage, place: CodePlace): string {
  // Within quotes, which are interrupted for what the shell reads from a file.
  const body = sendBody(
    message,
    ({ filename }) => new Expression(`"'"$(base64 < ${shellWord(filename)} | tr -d '\\n')"'"`),
  )
  return `curl "${sendUrl(place)}" \\
  --header "Authorization: Bearer $API_TOKEN" \\
  --header "Content-Type: application/json" \\
  --data '${literal(body, 'shell', 2)}'`
}

function nodeFetch(message: TestMessage, place: CodePlace): string {
  const body = sendBody(message, fileOfNode)
  return `${importOfFiles(message)}const response = await fetch(
  "${sendUrl(place)}",
  {
    method: "POST",
    headers: {
      Authorization: \`Bearer \${process.env.API_TOKEN}\`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify(${literal(body, 'javascript', 4)}),
  },
)
console.log(response.status, await response.json())`
}

function nodeSdk(message: TestMessage, place: CodePlace): string {
  const body = { account_id: place.accountId, ...sendBody(message, fileOfNode) }
  return `${importOfFiles(message)}import Cloudflare from "cloudflare"

const client = new Cloudflare({
  apiToken: process.env.API_TOKEN,
  baseURL: "${place.api}",
})
const result = await client.emailSending.send(${literal(body, 'javascript')})
console.log(result)`
}

function fileOfNode({ filename }: { readonly filename: string }): Expression {
  return new Expression(`readFileSync(${JSON.stringify(filename)}, "base64")`)
}

function importOfFiles({ attachments }: TestMessage): string {
  return attachments.length === 0 ? '' : 'import { readFileSync } from "node:fs"\n'
}

function python(message: TestMessage, place: CodePlace): string {
  const body = sendBody(
    message,
    ({ filename }) =>
      new Expression(`base64.b64encode(open(${JSON.stringify(filename)}, "rb").read()).decode()`),
  )
  const imports = message.attachments.length === 0 ? 'json, os' : 'base64, json, os'
  return `import ${imports}, urllib.request

request = urllib.request.Request(
    "${sendUrl(place)}",
    method="POST",
    headers={
        "Authorization": f"Bearer {os.environ['API_TOKEN']}",
        "Content-Type": "application/json",
    },
    data=json.dumps(${literal(body, 'python', 4)}).encode(),
)
with urllib.request.urlopen(request) as response:
    print(json.load(response)["result"])`
}

function smtpCurl(message: TestMessage, place: CodePlace): string {
  const { submission, ca } = place
  const words = [
    ...(ca === undefined ? [] : [`--cacert ${shellWord(ca)}`]),
    `--url "smtps://${submission.host}:${submission.port}"`,
    '--user "api_token:$API_TOKEN"',
    `--mail-from ${shellWord(message.from.address)}`,
    ...message.to.map((address) => `--mail-rcpt ${shellWord(address)}`),
    '--upload-file mail.txt',
  ]
  return `${mailFile(message)}\n\ncurl --ssl-reqd --crlf \\\n  ${words.join(' \\\n  ')}`
}

function smtpSwaks(message: TestMessage, place: CodePlace): string {
  const { submission, ca } = place
  const words = [
    `--server ${submission.host} --port ${submission.port} --tls-on-connect`,
    ...(ca === undefined ? [] : [`--tls-verify --tls-ca-path ${shellWord(ca)}`]),
    '--auth PLAIN --auth-user api_token --auth-password "$API_TOKEN"',
    `--from ${shellWord(message.from.address)}`,
    `--to ${shellWord(message.to.join(','))}`,
    '--data @mail.txt',
  ]
  return `${mailFile(message)}\n\nswaks ${words.join(' \\\n  ')}`
}

function worker(message: TestMessage): string {
  const { from, ...rest } = sendBody(
    message,
    ({ filename }) =>
      new Expression(`/* base64 of ${JSON.stringify(filename).replaceAll('*/', '* /')} */ ""`),
  )
  // The binding calls the address of a named sender otherwise than the REST API does (sending-workers-api.md).
  const sender = typeof from === 'string' ? from : { email: from.address, name: from.name }
  return `// wrangler.jsonc: "send_email": [{ "name": "EMAIL" }]
export default {
  async fetch(request, env) {
    const { messageId } = await env.EMAIL.send(${literal({ from: sender, ...rest }, 'javascript', 4)})
    return new Response(messageId)
  },
}`
}
