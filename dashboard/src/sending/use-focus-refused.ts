import { type RefObject, useEffect } from 'react'

/** A button that waits is disabled, and loses the focus by that. Once what it sent is refused, the field that is wrong has
 *  the focus, or the button again; unless somebody went on elsewhere meanwhile. */
export function useFocusRefused(form: RefObject<HTMLFormElement | null>, error: Error | null): void {
  useEffect(() => {
    if (error === null || form.current === null) return
    const { activeElement } = document
    if (activeElement !== null && activeElement !== document.body && !isButtonOf(form.current, activeElement))
      return
    const wrong = form.current.querySelector<HTMLElement>('[aria-invalid="true"]')
    const button = form.current.querySelector<HTMLElement>('button[type="submit"]')
    ;(wrong ?? button)?.focus()
  }, [form, error])
}

/** Some browsers leave the focus where nothing can be done with it. */
function isButtonOf(form: HTMLFormElement, element: Element): boolean {
  return element === form.querySelector('button[type="submit"]')
}
