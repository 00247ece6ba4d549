import { hash } from 'node:crypto'

/** The ids of the notice about a delivery: of its message and of its own delivery. They follow from the failed
 *  delivery's, so that no two processes can make two notices about one. Like those of `newId` they begin with the time
 *  at which the mail was accepted. */
export function noticeIds(deliveryId: string): { readonly messageId: string; readonly deliveryId: string } {
  return { messageId: derive('notice', deliveryId), deliveryId: derive('notice-delivery', deliveryId) }
}

/** UUIDv8 (RFC 9562 §5.8) in 32 hex digits. */
function derive(purpose: string, id: string): string {
  const digest = hash('sha256', `${purpose} ${id}`)
  return `${id.slice(0, 12)}8${digest.slice(0, 3)}8${digest.slice(3, 18)}`
}
