import { type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'

const signOnPool = promisify<string, Buffer, KeyObject, Buffer>(sign)

/** rsa-sha256 (RFC 6376 §3.3.2) over octets, in base64. The RSA operation runs on the thread pool, so a busy loop waits
 *  for microseconds, not for the key. Throws for a key that is not RSA. */
export async function signRsa(octets: string, key: KeyObject): Promise<string> {
  if (key.asymmetricKeyType !== 'rsa') throw new TypeError('A DKIM identity needs an RSA key')
  return (await signOnPool('sha256', Buffer.from(octets, 'latin1'), key)).toString('base64')
}
