// A Worker of ours beside the customer's: it answers pings and hands over what does not come as a request.

export default {
  async fetch(request, { USER }) {
    const { pathname } = new URL(request.url)
    if (pathname === '/ping') return new Response()
    const event = await request.json()
    if (pathname === '/queue')
      return Response.json(await USER.queue(event.queue, event.messages.map(readMessage)))
    const { cron, scheduledTime } = event
    return Response.json(await USER.scheduled({ cron, scheduledTime: new Date(scheduledTime) }))
  },
}

function readMessage({ id, timestamp, attempts, contentType, body }) {
  const octets = Uint8Array.from(atob(body), (char) => char.charCodeAt(0))
  const head = { id, timestamp: new Date(timestamp), attempts }
  switch (contentType) {
    case 'json':
      return { ...head, body: JSON.parse(new TextDecoder().decode(octets)) }
    case 'text':
      return { ...head, body: new TextDecoder().decode(octets) }
    case 'bytes':
      return { ...head, body: octets.buffer }
    default:
      return { ...head, serializedBody: octets.buffer }
  }
}
