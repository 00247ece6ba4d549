import { useSidebar } from '@cloudflare/kumo/components/sidebar'
import { useEffect } from 'react'

/** On a phone the menu lies over the page: it goes once one has gone somewhere. */
export function CloseMenu({ here }: { readonly here: string }) {
  const { setOpenMobile } = useSidebar()
  // oxlint-disable-next-line react/exhaustive-deps -- whenever the place changes
  useEffect(() => setOpenMobile(false), [here])
  return null
}
