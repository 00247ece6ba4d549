import { type RefObject, useCallback, useRef } from 'react'

/** Of a form whose button cannot be pressed while it is busy, which drops the focus: once it was refused, the field that is
 *  at fault has it, else the button again. To be called once the form is busy no more. */
export function useFocusOnFault(): readonly [form: RefObject<HTMLFormElement | null>, refused: () => void] {
  const form = useRef<HTMLFormElement>(null)
  const refused = useCallback(() => {
    // What a field shows is told a moment after the form has heard of it.
    requestAnimationFrame(() => requestAnimationFrame(() => focusFault(form.current)))
  }, [])
  return [form, refused]
}

function focusFault(form: HTMLFormElement | null): void {
  const field = form?.querySelector<HTMLElement>('[aria-invalid="true"]')
  if (field) field.focus()
  else if (!form?.contains(document.activeElement))
    form?.querySelector<HTMLElement>('[type="submit"]')?.focus()
}
