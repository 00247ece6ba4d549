import { useSyncExternalStore } from 'react'

let isAnswering = true
const listeners = new Set<() => void>()

/** Told of each request: whether the server answered it at all. */
export function noteAnswer(answered: boolean): void {
  if (answered === isAnswering) return
  isAnswering = answered
  for (const listener of listeners) listener()
}

/** Whether the server answered what it was last asked. */
export function useReachable(): boolean {
  return useSyncExternalStore(subscribe, () => isAnswering)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
