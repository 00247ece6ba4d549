import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { focusPage } from '../parts/focus-page.ts'

/** Who goes to another page begins at its top: what they pressed may be gone, and a screen reader says where they are. Who
 *  changes what the same page shows stays where they are. */
export function useArrival(): void {
  const router = useRouter()
  useEffect(
    () =>
      router.subscribe('onRendered', ({ fromLocation, pathChanged }) => {
        if (fromLocation !== undefined && pathChanged) focusPage()
      }),
    [router],
  )
}
