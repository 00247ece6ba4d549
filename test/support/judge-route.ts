import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoredCopy } from './real-mta.ts'

/** What dkimpy and pyspf say of one message, who ask the DNS door of the instance. */
export interface Judged {
  /** Names of the keys whose signatures hold, from the top down, and of those that do not. */
  readonly held: readonly string[]
  readonly broken: readonly string[]
  readonly arc: string
  readonly sets: number
  readonly reason: string
  /** Of its envelope sender, from this machine and from another. */
  readonly spf: string
  readonly elsewhere: string
}

const PYTHON = '/usr/bin/python3'

export function judgeRoute(
  dnsPort: number,
  copies: readonly Pick<StoredCopy, 'content' | 'returnPath'>[],
): readonly Judged[] {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-route-'))
  try {
    const asked = copies.map(({ content, returnPath }, i) => {
      const file = join(folder, `${i}.eml`)
      writeFileSync(file, content)
      return { file, sender: returnPath, helo: 'posthorn.test' }
    })
    const script = join(import.meta.dirname, 'verify-route.py')
    const printed = execFileSync(PYTHON, [script, String(dnsPort), '127.0.0.1'], {
      input: JSON.stringify(asked),
      encoding: 'utf8',
      // It says there why the one that was tampered with fails.
      stdio: 'pipe',
    })
    // The script's header comment says what it prints.
    const judged = JSON.parse(printed) as readonly Judged[]
    assert.equal(judged.length, copies.length)
    return judged
  } finally {
    rmSync(folder, { recursive: true })
  }
}
