import { type AsyncRouteComponent, lazyRouteComponent } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { request } from '../api/ask.ts'

/** The code of a page that the server did not hand out. */
export class PageNotFetched extends Error {
  /** Asks for it once more; whether it came. */
  readonly fetchAgain: () => Promise<boolean>

  constructor(fetchAgain: () => Promise<boolean>, cause: unknown) {
    super('The server did not send this page.', { cause })
    this.name = 'PageNotFetched'
    this.fetchAgain = fetchAgain
  }
}

/** A page, or a large part of one, whose code is fetched when somebody goes there. Where that fails it throws `PageNotFetched`, and is asked for
 *  anew with the next visit: the router's own answer, loading the window anew, loses the whole dashboard to a server that
 *  is down for a moment. */
export function lazyPage<P>(load: () => Promise<(props: P) => ReactNode>): AsyncRouteComponent<P> {
  let isFetched = false
  async function fetchAgain(): Promise<boolean> {
    await page.preload?.()
    return isFetched
  }
  const page: AsyncRouteComponent<P> = lazyRouteComponent(async () => {
    try {
      const component = await load()
      isFetched = true
      return { default: component }
    } catch (cause) {
      // Has the frame say so where nothing is answered, and look out for the server.
      await request('/session/v1').catch(() => {})
      throw new PageNotFetched(fetchAgain, cause)
    }
  })
  return page
}
