import { readFile } from 'node:fs/promises'
import type { SmarthostSetting } from '#model/smarthost.ts'

/** The operator's smarthost lacks what its login takes; the message says what to do. */
export class SmarthostUnusable extends Error {
  override readonly name = 'SmarthostUnusable'
}

/** The setting as configuration has it, its password read from a file where it is in one (the last line break does not
 *  count). Throws SmarthostUnusable. */
export async function installationSmarthost(
  configured: Omit<SmarthostSetting, 'login'> & { readonly username?: string; readonly password?: string },
  passwordFile: string | undefined,
): Promise<SmarthostSetting> {
  const { username, password: given, ...setting } = configured
  if (username === undefined) return setting
  const password = passwordFile === undefined ? given : await readPassword(passwordFile)
  if (password === undefined) throw new SmarthostUnusable(`the smarthost's user ${username} has no password`)
  return { ...setting, login: { username, password } }
}

async function readPassword(path: string): Promise<string> {
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SmarthostUnusable(`the smarthost's password cannot be read: ${why}`, { cause })
  }
  const password = content.replace(/\r?\n$/, '')
  if (password === '' || /\p{Cc}/u.test(password))
    throw new SmarthostUnusable(`${path} must hold the smarthost's password, in one line and nothing else`)
  return password
}
