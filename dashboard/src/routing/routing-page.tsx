import { Page as Frame } from '../parts/page.tsx'

export function Page() {
  return <Frame title="routing">Nothing yet.</Frame>
}
