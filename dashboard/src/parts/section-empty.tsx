import { Empty, type EmptyProps } from '@cloudflare/kumo/components/empty'

/** A section without content: it is a card already, and needs none in it. */
export function SectionEmpty(props: Omit<EmptyProps, 'className' | 'size'>) {
  return <Empty {...props} size="sm" className="border-0 bg-transparent text-center" />
}
