import type { LinkComponentProps } from '@cloudflare/kumo'
import { useRouter } from '@tanstack/react-router'
import { forwardRef, type MouseEvent } from 'react'

/** What the library's links become: those to our own pages change the page without loading it anew, those of strangers
 *  learn nothing of where they were. */
export const AppLink = forwardRef<HTMLAnchorElement, LinkComponentProps>(function AppLink(
  { href = '', to: _to, onClick, children, ...rest },
  ref,
) {
  const router = useRouter()
  const isOurs = href.startsWith('/') && rest.target === undefined && rest.download === undefined
  function follow(event: MouseEvent<HTMLAnchorElement>) {
    onClick?.(event)
    const opensElsewhere =
      event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0
    if (!isOurs || event.defaultPrevented || opensElsewhere) return
    event.preventDefault()
    void router.navigate({ href })
  }
  return (
    <a
      {...rest}
      ref={ref}
      href={href}
      onClick={follow}
      {...(/^[a-z]+:/i.test(href) && { rel: 'noopener noreferrer' })}
    >
      {children}
    </a>
  )
})
