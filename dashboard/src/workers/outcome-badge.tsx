import { Badge } from '@cloudflare/kumo/components/badge'

/** The words of `wrangler tail`, for people. */
const WORDS: Readonly<Record<string, string>> = {
  ok: 'Ok',
  exception: 'Exception',
  canceled: 'Canceled',
  exceededCpu: 'Out of CPU time',
  'exceeded-cpu': 'Out of CPU time',
  exceededMemory: 'Out of memory',
  'exceeded-memory': 'Out of memory',
  timeout: 'Timed out',
  crashed: 'Crashed',
  unavailable: 'Unavailable',
}

export function OutcomeBadge({ outcome }: { readonly outcome: string }) {
  return <Badge variant={outcome === 'ok' ? 'success' : 'error'}>{WORDS[outcome] ?? outcome}</Badge>
}
