import { useEffect, useRef, useState } from 'react'
import { ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { scriptPath } from './script-path.ts'
import { readTailEvent, type TailEvent } from './tail-event.ts'

export type TailState = 'connecting' | 'live' | 'paused' | 'lost'

export interface Tail {
  readonly state: TailState
  readonly events: readonly TailEvent[]
  readonly problem: string | undefined
  readonly start: () => void
  readonly pause: () => void
  readonly clear: () => void
}

/** Older ones go: nobody scrolls further, and a busy Worker would fill the page's memory. */
const MOST_EVENTS = 500
const AGAIN_MS = 2000

/** What a Worker logs while this page is open. A connection that is lost is made again. */
export function useTail(accountId: string, script: string): Tail {
  const [isWanted, setWanted] = useState(true)
  const [state, setState] = useState<TailState>('connecting')
  const [events, setEvents] = useState<readonly TailEvent[]>([])
  const [problem, setProblem] = useState<string>()
  const count = useRef(0)

  useEffect(() => {
    if (!isWanted) return undefined
    const path = scriptPath(accountId, script, 'tails')
    let isOver = false
    let id: string | undefined
    let socket: WebSocket | undefined
    let timer: ReturnType<typeof setTimeout> | undefined

    async function open() {
      setState('connecting')
      const tail = await ask<{ readonly id: string; readonly url: string }>(path, {
        method: 'POST',
        body: { filters: [] },
      })
      if (isOver) return remove(tail.id)
      id = tail.id
      socket = new WebSocket(here(tail.url), 'trace-v1')
      socket.addEventListener('open', () => {
        setProblem(undefined)
        setState('live')
      })
      socket.addEventListener('message', ({ data }) => {
        const event = readTailEvent(String(data), count.current++)
        if (event) setEvents((before) => [event, ...before].slice(0, MOST_EVENTS))
      })
      socket.addEventListener('close', () => again())
    }
    function begin() {
      open().catch((error: unknown) => {
        if (!isOver) setProblem(problemText(error))
        again()
      })
    }
    function again() {
      if (isOver) return
      setState('lost')
      timer = setTimeout(begin, AGAIN_MS)
    }
    function remove(tail: string) {
      ask(`${path}/${tail}`, { method: 'DELETE' }).catch(() => undefined)
    }

    begin()
    return () => {
      isOver = true
      clearTimeout(timer)
      socket?.close(1000)
      if (id !== undefined) remove(id)
    }
  }, [accountId, script, isWanted])

  return {
    state: isWanted ? state : 'paused',
    ...{ events, problem },
    start: () => setWanted(true),
    pause: () => setWanted(false),
    clear: () => setEvents([]),
  }
}

/** The page's policy lets it connect to where it came from alone, whatever name the server has for itself. */
function here(url: string): string {
  const { protocol, host } = window.location
  return `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}${new URL(url).pathname}`
}
