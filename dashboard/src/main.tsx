import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './app.css'
import { Problem } from './api/problem.ts'
import { sessionQuery } from './api/session.ts'
import { createAppRouter, preloadPage } from './router.tsx'
import { leaveEndedSession } from './session/leave-ended-session.ts'

const onError = (refusal: unknown) => void leaveEndedSession(refusal, client, router).catch(() => {})
const client = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What was refused stays refused; only what was not answered is asked again.
      retry: (count, error) =>
        count < 2 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
    },
  },
})
const router = createAppRouter(client)
const root = document.getElementById('root')
if (!root) throw new Error('the page has no element for the dashboard')
// The page is fetched while the server says who is signed in, not once it has.
void client.prefetchQuery(sessionQuery)
preloadPage(router)
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
