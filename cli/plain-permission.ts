/** A permission however somebody spells it: `Email Sending:Edit`, "Email Sending Write", `email-sending:edit`. */
export function plainPermission(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[\s:_-]+/g, ' ')
    .trim()
    .replace(/ edit$/, ' write')
}
