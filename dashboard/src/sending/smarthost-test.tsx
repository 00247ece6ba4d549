import { Badge } from '@cloudflare/kumo/components/badge'
import type { SmarthostTestBody } from '#contract/smarthost.ts'
import { CodeText } from '../parts/code-text.tsx'

/** What came of connecting, logging in and saying QUIT. */
export function SmarthostTest({ test }: { readonly test: SmarthostTestBody }) {
  const { works, detail, address, tls, duration_ms: duration, dialogue } = test
  return (
    <div role="status" className="mt-4 flex flex-col gap-3">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Badge variant={works ? 'success' : 'error'}>{works ? 'Works' : 'Does not work'}</Badge>
        {detail}
        <span className="text-kumo-subtle">
          {[address, tls, `${Math.round(duration)} ms`].filter((part) => part !== null).join(' · ')}
        </span>
      </p>
      {dialogue.length > 0 && <CodeText text={dialogue.join('\n')} what="the dialogue" />}
    </div>
  )
}
