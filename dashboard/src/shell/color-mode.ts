import { useSyncExternalStore } from 'react'

export type ColorMode = 'light' | 'dark'

const CHOSEN = 'posthorn.color-mode'
const listeners = new Set<() => void>()

/** What public/color-mode.js set before the first paint. */
function current(): ColorMode {
  return document.documentElement.dataset['mode'] === 'dark' ? 'dark' : 'light'
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The colours of the page, and how the viewer changes them for good. */
export function useColorMode(): readonly [ColorMode, (mode: ColorMode) => void] {
  return [useSyncExternalStore(subscribe, current), choose]
}

function choose(mode: ColorMode): void {
  localStorage.setItem(CHOSEN, mode)
  document.documentElement.dataset['mode'] = mode
  for (const listener of listeners) listener()
}
