import { Link } from '@cloudflare/kumo/components/link'
import { Section } from '../parts/page.tsx'
import { visibleText } from '../parts/visible-text.ts'

const MOST = 50
const IN_TEXT = /https?:\/\/[^\s<>"]+/g

interface MessageLinksProps {
  /** Empty where there is none. */
  readonly html: string
  readonly text?: string
}

/** Where a message leads: nothing in the frame above can be followed, and whoever reads this is to see where it goes. */
export function MessageLinks({ html, text = '' }: MessageLinksProps) {
  const links = linksOf(html, text)
  if (links.size === 0) return null
  return (
    <Section
      title="Links"
      lead="In the message they lead nowhere. Here each opens in a new tab: look where it leads first."
    >
      <ul className="flex flex-col gap-3">
        {[...links].slice(0, MOST).map(([url, text]) => (
          <li key={url} className="min-w-0">
            <Link href={url} target="_blank" rel="noopener noreferrer">
              {visibleText(text)}
            </Link>
            <code className="block font-mono text-sm break-all text-kumo-subtle">{url}</code>
          </li>
        ))}
      </ul>
    </Section>
  )
}

/** By their addresses, with the words that stand for them. */
function linksOf(html: string, plain: string): ReadonlyMap<string, string> {
  // A document that is in no window: it loads nothing and runs nothing.
  const anchors = new DOMParser().parseFromString(html, 'text/html').querySelectorAll('a[href]')
  const written: [string, string][] = [...anchors].map((anchor) => [
    anchor.getAttribute('href') ?? '',
    anchor.textContent.trim(),
  ])
  if (html === '') written.push(...(plain.match(IN_TEXT) ?? []).map((url): [string, string] => [url, url]))
  const links = new Map<string, string>()
  for (const [href, text] of written) {
    const url = URL.parse(href)
    if (url === null || !/^https?:$/.test(url.protocol) || links.has(url.href)) continue
    links.set(url.href, text === '' ? url.host : text)
  }
  return links
}
