import { useEffect } from 'react'
import { focusOnceClosed } from './focus-once-closed.ts'

/** What opened a dialog has the focus again once it is closed, which the library sees to. Where that is gone, as the row
 *  whose deletion was confirmed, the page has it. */
export function useFocusBack(isOpen: boolean): void {
  useEffect(() => (isOpen ? () => focusOnceClosed() : undefined), [isOpen])
}
