import type { PlaceFault } from '#registry/workers/worker-routes.ts'
import type { SecretFault, UploadFault } from '#registry/workers/workers.ts'
import type { Fault } from './fault.ts'
import { NO_SUCH_OBJECT } from './serve-operation.ts'

/** wrangler goes by these codes (clients.md §3). */
export const NO_SCRIPT: Fault = {
  status: 404,
  code: 10007,
  message: 'This Worker does not exist on your account.',
}

export const NO_VERSION: Fault = {
  status: 404,
  code: 10146,
  message: 'This Worker has no such version.',
}

/** What is wrong with an upload, in a sentence that names the binding or the part. */
export function unfit(message: string, pointer?: string): Fault {
  return { status: 400, code: 10021, message, ...(pointer !== undefined && { pointer }) }
}

export function explainWorkerFault(fault: UploadFault | SecretFault): Fault {
  switch (fault.kind) {
    case 'unknown-worker':
      return NO_SCRIPT
    case 'nothing-to-inherit': {
      // wrangler looks for these words.
      const message = `inherit binding '${fault.name}' is invalid: the version before has no binding '${fault.from}'`
      return { status: 400, code: 10057, message }
    }
    case 'too-many-bindings':
      return unfit(`A Worker may have ${fault.limit} bindings.`)
    case 'too-many-workers': {
      const message = `This account has ${fault.limit} Workers, which is the most that it can have.`
      return { status: 400, code: 10037, message }
    }
    case 'unknown-service': {
      const message = `Could not resolve service binding '${fault.name}': this account has no Worker '${fault.service}'.`
      return { status: 400, code: 10143, message }
    }
    case 'does-not-start':
      return unfit(`The Worker does not start: ${fault.detail}`)
    case 'unknown-secret':
      return { status: 404, code: 10056, message: `This Worker has no secret '${fault.name}'.` }
    case 'name-taken': {
      const message = `Binding name '${fault.name}' is in use already, by a binding of type ${fault.by}.`
      return { status: 400, code: 10053, message }
    }
    case 'latest-not-deployed': {
      const message =
        'The newest version of this Worker is not deployed, and changing a secret would deploy it.'
      return { status: 400, code: 10215, message }
    }
  }
}

export function explainPlaceFault(fault: PlaceFault): Fault {
  switch (fault.kind) {
    case 'unknown-worker':
      return NO_SCRIPT
    case 'unknown-place':
      return NO_SUCH_OBJECT
    case 'place-taken': {
      const message = `'${fault.place}' leads to another Worker.`
      return { status: 409, code: 10020, message }
    }
    case 'too-many-places':
      return unfit(`A zone may have ${fault.limit} routes.`)
  }
}
