/** What the cookie of somebody who is signed in is called: `secure` where browsers reach the server by HTTPS. Cookies do
 *  not know ports, so that every server at a host name gets those of the others: the names are no customer's. */
export const SESSION_COOKIE_NAME = {
  plain: 'posthorn_session',
  secure: '__Host-posthorn_session',
} as const
