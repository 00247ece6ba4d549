// What `email()` asks of the host, each time with the token of its invocation. The entry takes this binding out of
// `env`; who finds it all the same has no token but the ones that are the Worker's own.
import { encodeMessage, resultOf, utf8Base64 } from 'posthorn-internal:encode-message'

const HEADERS_TOO_LARGE = {
  code: 'E_HEADERS_TOO_LARGE',
  message: 'forward(): the headers are too large.',
}

export default function hostActions({ HOST }) {
  const ask = (token, action, { headers = {}, body } = {}) =>
    HOST.fetch(`http://host/${action}`, {
      method: 'POST',
      headers: { ...headers, 'x-posthorn-invocation': token },
      body,
    })
  return {
    forward: async (token, rcptTo, headers) => {
      const wish = { rcptTo, headers: headers === undefined ? [] : [...new Headers(headers)] }
      return resultOf(ask(token, 'forward', { body: JSON.stringify(wish) }), HEADERS_TOO_LARGE)
    },
    reply: async (token, message) => resultOf(ask(token, 'reply', await encodeMessage(message))),
    headers: async (token) => (await ask(token, 'headers')).json(),
    settle: async (token, verdict) => {
      await ask(token, 'settle', { headers: { 'x-posthorn-verdict': utf8Base64(JSON.stringify(verdict)) } })
    },
  }
}
