import type { Socket } from 'node:net'
import { networkOf } from './network-of.ts'

/** Whether a connection has a place; one that has none is closed. */
export type Places = (socket: Socket) => boolean

/** Places for connections, `most` for each network: who holds many of them takes nobody else's. */
export function networkPlaces(most: number): Places {
  const places = new Map<string, number>()
  return (socket) => {
    const network = networkOf(socket.remoteAddress ?? '')
    const taken = places.get(network) ?? 0
    if (taken >= most) {
      socket.destroy()
      return false
    }
    places.set(network, taken + 1)
    socket.once('close', () => {
      const left = (places.get(network) ?? 1) - 1
      if (left > 0) places.set(network, left)
      else places.delete(network)
    })
    return true
  }
}
