import { focusPage } from './focus-page.ts'

/** A dialog takes this long to fade, at most. */
const MOST_FRAMES = 60

/** Once no dialog is open any more, and nothing else has taken the focus, `opener` has it again, and the page where that is
 *  gone: without it a keyboard would begin at the window's end. */
export function focusOnceClosed(opener?: Element | null, frame = 0): void {
  const isFading = document.querySelector('[role="dialog"], [role="alertdialog"]') !== null
  if (isFading && frame < MOST_FRAMES) {
    requestAnimationFrame(() => focusOnceClosed(opener, frame + 1))
    return
  }
  if (document.activeElement !== null && document.activeElement !== document.body) return
  if (opener instanceof HTMLElement && opener.isConnected && opener !== document.body) opener.focus()
  else focusPage()
}
