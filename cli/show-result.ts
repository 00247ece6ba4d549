import { type Page, page } from './page.ts'

export interface Shown {
  /** Unless it is said: text on a terminal, JSON elsewhere. */
  readonly json?: boolean
}

export function isJson({ json }: Shown): boolean {
  return json ?? !process.stdout.isTTY
}

/** The result on stdout, for whoever reads there. */
export function showResult(result: object, shown: Shown, text: (page: Page) => string): void {
  console.log(isJson(shown) ? JSON.stringify(result, null, 2) : text(page()))
}
