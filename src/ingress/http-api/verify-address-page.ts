import { hash } from 'node:crypto'
import { escapeHtml } from './escape-html.ts'

/** `open`: the link works and waits for a click. */
export type VerifyState = 'open' | 'verified' | 'expired' | 'invalid'

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 15vh auto 0; max-width: 32rem; padding: 0 1.5rem; color: #1d2530; background: #fff }
h1 { font-size: 1.4rem; margin: 0 0 .75rem }
p { margin: 0 0 1.25rem; overflow-wrap: anywhere }
button { font: inherit; font-weight: 600; padding: .55rem 1.1rem; border: 0; border-radius: .4rem; color: #fff; background: #0b5cad; cursor: pointer }
button:focus-visible { outline: 3px solid #7db7f0; outline-offset: 2px }
@media (prefers-color-scheme: dark) { body { color: #e4e8ee; background: #14181d } }
`

/** No script, nothing loaded, no frame around it; the form goes back to where it came from. */
export const VERIFY_PAGE_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', STYLE, 'base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** `address` is for the states in which there is one. */
export function verifyPage(state: VerifyState, address: string): string {
  const { title, body } = PAGES[state](`<b><bdi>${escapeHtml(address)}</bdi></b>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`
}

// The form has no action: it goes to the page's own address, token included.
const PAGES: Record<VerifyState, (address: string) => { readonly title: string; readonly body: string }> = {
  open: (address) => ({
    title: 'Verify your email address',
    body: `<p>Somebody wants mail to be forwarded to ${address}. If you agree, verify the address.</p>
<form method="post"><button type="submit">Verify email address</button></form>`,
  }),
  verified: (address) => ({
    title: 'Your email address is verified',
    body: `<p>Mail may be forwarded to ${address} now. You can close this page.</p>`,
  }),
  expired: () => ({
    title: 'This link has expired',
    body: '<p>Ask whoever wants to forward mail to you to send you a new one.</p>',
  }),
  invalid: () => ({
    title: 'This link is not valid',
    body: `<p>Perhaps it was cut off, or the request behind it was withdrawn. If you still want mail to be forwarded
to you, ask for a new link.</p>`,
  }),
}
