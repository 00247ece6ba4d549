// The `send_email` binding.
import { encodeMessage, resultOf } from 'posthorn-internal:encode-message'

export default function sendEmail({ HOST }) {
  return {
    async send(message) {
      return resultOf(
        await HOST.fetch('http://host/send', { method: 'POST', ...(await encodeMessage(message)) }),
      )
    },
  }
}
