import type { DevJson } from '#contract/dev-json.ts'

/** What a developer sees once everything is open: where things are, and a command to try. */
export function banner(dev: DevJson, files: { readonly data: string }): string {
  return `
  Posthorn is running. Nothing leaves this machine; all mail lands in the inbox.

    API      ${dev.api}
    Open     ${dev.dashboard}  (${dev.admin.email}; here, one click signs in)
    Inbox    ${dev.inbox}
    SMTP     ${dev.submission.host}:${dev.submission.port} with TLS; user ${dev.submission.username}, password: the token
    MX       ${dev.mx.host}:${dev.mx.port}
    DNS      ${dev.dns.host}:${dev.dns.port}
    Workers  http://<worker>.${dev.workers.host}:${dev.workers.port}
    Account  ${dev.account_id}
    Token    ${dev.api_token}
    CA       ${dev.ca}
    Files    ${files.data}/dev.json has all of this

  Try it:

    curl "${dev.api}/accounts/${dev.account_id}/email/sending/send" \\
      --header "Authorization: Bearer ${dev.api_token}" \\
      --header "Content-Type: application/json" \\
      --data '{"to": "recipient@example.com", "from": "welcome@${dev.zone}", "subject": "Welcome to our service!", "html": "<h1>Welcome!</h1>", "text": "Welcome!"}'

    curl ${dev.inbox}/message/latest

`
}
