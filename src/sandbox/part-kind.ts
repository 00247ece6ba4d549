/** What Mailpit counts as an attachment; other parts that are no body text are its "inline" ones. */
export function isAttachment(part: { readonly disposition: string; readonly type: string }): boolean {
  return part.disposition === 'attachment' || part.type === 'application/octet-stream'
}

export function isBodyText(part: { readonly disposition: string; readonly type: string }): boolean {
  return part.disposition !== 'attachment' && (part.type === 'text/plain' || part.type === 'text/html')
}
