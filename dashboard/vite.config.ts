import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The instance serves `dist` at `/`. While the dashboard itself is written, `npm run dev` beside an instance serves it
 *  with reloads, and hands everything else to the instance. */
const INSTANCE = process.env['POSTHORN_URL'] ?? 'http://127.0.0.1:8025'

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: 'es2023',
    // The policy of the page lets nothing run or load that is not a file of ours.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
    // What every visit begins with comes as one file: as forty it waited its turn, six at a time.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'frame', tags: ['$initial'] }] } } },
  },
  server: {
    proxy: Object.fromEntries(['/client', '/operator', '/session', '/api'].map((path) => [path, INSTANCE])),
  },
})
