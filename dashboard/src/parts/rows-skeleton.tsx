import { SkeletonLine } from '@cloudflare/kumo/components/loader'

/** The place of a list that is on its way. */
export function RowsSkeleton({ rows = 5 }: { readonly rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-4 py-2">
      {Array.from({ length: rows }, (_, row) => (
        <SkeletonLine key={row} minWidth={40} maxWidth={100} />
      ))}
    </div>
  )
}
