/** Whoever goes on by keyboard goes on from the beginning of the page. */
export function focusPage(): void {
  document.getElementById('page')?.focus({ preventScroll: true })
}
