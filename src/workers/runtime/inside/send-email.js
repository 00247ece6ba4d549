// The `send_email` binding.
import { encodeMessage, resultOf } from 'posthorn-internal:encode-message'

export default function sendEmail({ HOST }) {
  return {
    async send(message) {
      const request = { method: 'POST', ...(await encodeMessage(message)) }
      return resultOf(HOST.fetch('http://host/send', request))
    },
  }
}
