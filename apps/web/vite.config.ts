import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The hub's Content-Security-Policy allows only files of its own origin: nothing may be inlined as a script or
// loaded as data, and the page must not need a second host.
export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // build.ts holds the budget, gzipped; this one counts before compression.
    chunkSizeWarningLimit: 700,
    sourcemap: false,
  },
})
