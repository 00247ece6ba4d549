import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { request } from '../api/ask.ts'
import { useReachable } from '../api/reachable.ts'
import { ProblemNote } from '../parts/problem-note.tsx'

const ASK_AGAIN_MS = 3000

/** Over a page whose figures may be old. Once the server is there again everything is asked anew. */
export function UnreachableNote() {
  const isReachable = useReachable()
  const client = useQueryClient()
  useEffect(() => {
    if (isReachable) return undefined
    const timer = setInterval(() => void request('/session/v1').catch(() => {}), ASK_AGAIN_MS)
    return () => {
      clearInterval(timer)
      void client.invalidateQueries()
    }
  }, [isReachable, client])
  if (isReachable) return null
  return (
    <ProblemNote className="mb-6">
      The server does not answer. What you see may be out of date; it is asked again every few seconds.
    </ProblemNote>
  )
}
