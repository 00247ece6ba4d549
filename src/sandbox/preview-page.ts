import type { PartContent } from './read-mime.ts'

/** A message as a page for people to look at. In: what its author wrote, which may be meant to attack. Out: a page that,
 *  with `PREVIEW_HEADERS`, loads nothing, runs nothing, sends nothing and leads nowhere by itself. */
export function previewPage(mail: {
  readonly html: string | undefined
  readonly text: string
  /** Parts that the HTML may embed, by their Content-ID without angle brackets. */
  readonly embedded: ReadonlyMap<string, PartContent>
}): string {
  const { html, text, embedded } = mail
  if (html === undefined) return textPage(text)
  return withImages(html.replace(REACHING_OUT, '<$1x-$2').replace(LINK, '<$1 target="_blank"'), embedded)
}

/** To be sent with it, always. The sandbox takes scripts, forms, windows and its own origin away from the page, and
 *  with them whatever happens by itself, as a refresh; the rest says what it may load: pictures that are in it. */
export const PREVIEW_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    'sandbox',
    "default-src 'none'",
    'img-src data:',
    "style-src 'unsafe-inline'",
    "frame-ancestors 'self'",
    "form-action 'none'",
    "base-uri 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'private, no-store',
  // A name that is only looked up tells its owner that the mail is read.
  'x-dns-prefetch-control': 'off',
}

/** What no policy keeps from reaching out: `<link rel=preconnect>` and its like make connections that CSP does not
 *  know, a frame connects before the policy stops it, and `<meta>` says where referrers go. As elements that nobody knows they do nothing. */
const REACHING_OUT =
  /<(\/?)(link|meta|base|iframe|frame|frameset|object|embed|portal|fencedframe)(?=[\s/>]|$)/gi

/** In a window of its own, which the sandbox does not grant, a link leads nowhere; in the frame it would put an error in
 *  the message's place. Of two attributes of a name the first counts, so what the author wrote does not. */
const LINK = /<(a|area)(?=[\s/>])/gi

const EMBEDDED = /cid:([^"'\s)>&]{1,500})/gi
/** Types that are pictures and nothing else. */
const PICTURE = /^image\/(?:png|jpe?g|gif|webp|avif|bmp)$/
/** Octets in base64 of all embedded pictures: one may be named a thousand times. */
const MOST_EMBEDDED = 32 * 1_048_576

function withImages(html: string, embedded: ReadonlyMap<string, PartContent>): string {
  let left = MOST_EMBEDDED
  const urls = new Map<string, string>()
  const urlOf = (id: string): string | undefined => {
    const part = embedded.get(id) ?? embedded.get(decoded(id))
    const type = part?.contentType.toLowerCase() ?? ''
    if (!part || !PICTURE.test(type)) return undefined
    const { buffer, byteOffset, byteLength } = part.content
    return `data:${type};base64,${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}`
  }
  return html.replace(EMBEDDED, (whole, id: string) => {
    const url = urls.get(id) ?? urlOf(id)
    if (url === undefined || url.length > left) return whole
    urls.set(id, url)
    left -= url.length
    return url
  })
}

/** RFC 2392 §2: as a URL a Content-ID may be escaped. */
function decoded(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}

function textPage(text: string): string {
  return `<!doctype html>
<html>
<head><style>pre { font: 14px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 1rem }</style></head>
<body><pre>${escapeHtml(text)}</pre></body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
