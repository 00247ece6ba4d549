import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Of one process, whatever the others have. */
const OWN = 256
/** Beside that, of all processes together: a file of the host's is open for each. */
const COMMON = 2048

/** Connections of Workers to the host, one for each call of a binding that is under way. A Worker may ask for a thousand
 *  at once; one that asks for everything leaves the others what is theirs. */
export class ConnectionShare {
  #common: number
  readonly #own: number

  constructor({ own = OWN, common = COMMON } = {}) {
    this.#own = own
    this.#common = common
  }

  /** From now on the server closes what it has no room for. workerd keeps what is idle, for each binding on its own:
   *  where many are open they are not kept, or those of one binding would leave no room for another's. */
  limit(server: Server): void {
    let open = 0
    server.prependListener('request', (_request: unknown, response: ServerResponse) => {
      if (open > this.#own / 2) response.shouldKeepAlive = false
    })
    server.on('connection', (socket: Socket) => {
      const isCommon = open >= this.#own
      if (isCommon && this.#common === 0) {
        socket.destroy()
        return
      }
      open++
      if (isCommon) this.#common--
      socket.once('close', () => {
        if (open > this.#own) this.#common++
        open--
      })
    })
  }
}
