/** What an answer that is no 200 means, for the reader of the document. Clients choose by the status; the code says
 *  more, and the sentence in `error_chain` is for people. */
export interface ErrorAnswers {
  /** Of the components that describe them. */
  readonly prefix: string
  readonly statuses: Readonly<Record<ErrorStatus, readonly ErrorMeaning[]>>
}

export type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 421 | 422 | 429 | 500 | 503
type ErrorMeaning = readonly [code: number | 'other', meaning: string]

const MISDIRECTED: ErrorMeaning = [10001, 'The Host header names no host that this server answers for.']
const CROSS_SITE: ErrorMeaning = [10102, 'A page of another origin asked.']
const UNREACHABLE: ErrorMeaning = [10100, 'The token could not be checked; try again.']
const BROKEN: ErrorMeaning = [10002, 'The server failed, or its disk is full; nothing was changed.']
const TOO_LARGE: ErrorMeaning = [10200, 'The body, or the message in it, is too large.']

export const CONTROL_PLANE_ERRORS: ErrorAnswers = {
  prefix: 'Error',
  statuses: {
    400: [
      [1001, 'The body is not in its shape, or a value cannot be; source.pointer names the field.'],
      [1004, 'The query is not in its shape, or DNS could not say what the record says.'],
      [1061, 'There is such a zone already.'],
      [2016, 'The account has no such Worker.'],
      [2062, 'The domain is none that takes mail in this account.'],
      [6003, 'The headers that say who asks are malformed.'],
      [10014, 'There is a KV namespace with this title.'],
      [10021, 'The upload of a Worker cannot be taken; the message names the binding or the part.'],
      [10057, 'The version before has no binding to inherit.'],
      [10143, 'There is no Worker that a service binding names.'],
      [10215, 'The newest version of the Worker is not deployed.'],
      [11004, 'The queue has a consumer.'],
      [11009, 'There is a queue with this name.'],
      TOO_LARGE,
      ['other', 'Codes from 2001 on are about setting domains up, those from 81000 on about DNS records.'],
    ],
    401: [
      [1000, 'The token is not valid; of the operations that verify tokens.'],
      [9106, 'There are no headers that say who asks.'],
      [9109, 'The credentials are not valid; of the operations that tell who has them (/user, /accounts).'],
      [10000, 'The credentials are not valid, or not valid here and now.'],
    ],
    403: [
      [9109, 'The token lacks the permission.'],
      [10000, 'The token is an account’s and has no memberships.'],
      [890190, 'The record is locked: the service manages it.'],
      CROSS_SITE,
    ],
    404: [
      [7003, 'There is no such thing, or it is another account’s.'],
      [2020, 'There is no such rule.'],
      [10007, 'There is no such Worker.'],
      [10009, 'There is nothing under this key.'],
      [10013, 'There is no such KV namespace.'],
      [11000, 'There is no such queue.'],
      [81044, 'There is no such record.'],
    ],
    409: [
      [1009, 'It was changed meanwhile; try again.'],
      [10020, 'The route or host name leads to another Worker.'],
      [10031, 'The subdomain is another account’s.'],
    ],
    421: [MISDIRECTED],
    422: [[1001, 'The plan cannot be read.']],
    429: [
      [10004, 'Too much at once; Retry-After says when to try again, where it is known.'],
      ['other', 'There are as many as there may be.'],
    ],
    500: [BROKEN],
    503: [UNREACHABLE],
  },
}

export const SENDING_ERRORS: ErrorAnswers = {
  prefix: 'SendingError',
  statuses: {
    400: [
      [10001, 'The request is not in its shape, or a field has no good value; source.pointer names it.'],
      TOO_LARGE,
      [10201, 'There is no Content-Length.'],
      [10202, 'The message or one of its recipients cannot be taken.'],
      [10207, 'The scope of a suppression cannot be changed.'],
    ],
    401: [
      [10101, 'There is no token, or none that is valid here and now.'],
      [10103, 'It wants a token, and was asked under the session of the dashboard.'],
    ],
    403: [
      [10102, 'The token lacks the permission, or a page of another origin asked.'],
      [10105, 'The account may not send.'],
      [10203, 'Sending is switched off for the domain.'],
      [10204, 'The sender’s domain is not set up in this account.'],
      [10206, 'The suppression is the operator’s.'],
    ],
    404: [[10000, 'There is no such thing, or it is another account’s.']],
    409: [
      [10205, 'The Idempotency-Key was used for another request.'],
      [10208, 'The delivery does not wait.'],
    ],
    421: [MISDIRECTED],
    422: [],
    429: [[10004, 'Too much at once or today; Retry-After says when to try again, where it is known.']],
    500: [BROKEN],
    503: [UNREACHABLE],
  },
}

export function inWords(meanings: readonly ErrorMeaning[]): string {
  return meanings.map(([code, meaning]) => (code === 'other' ? meaning : `${code}: ${meaning}`)).join('\n')
}
