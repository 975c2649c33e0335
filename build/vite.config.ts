// Bundles the renderer from renderer/ into dist/renderer. Nothing is inlined, so that the strict CSP of the
// shells holds; noVNC uses top-level await, hence the modern target.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: new URL('../renderer', import.meta.url).pathname,
  base: './',
  plugins: [react()],
  build: {
    outDir: new URL('../dist/renderer', import.meta.url).pathname,
    emptyOutDir: true,
    target: 'es2024',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // One chunk for zod and the module that turns off its compiled fast path, run before any chunk that
        // makes a schema: otherwise zod probes `new Function`, and the CSP reports it.
        codeSplitting: { groups: [{ name: 'zod', test: /node_modules[\\/]zod[\\/]|zod-jitless/ }] },
      },
    },
  },
  server: {
    port: 5173,
    strictPort: true,
    proxy: {
      '/rpc': { target: 'ws://127.0.0.1:7788', ws: true },
      '/session': 'http://127.0.0.1:7788',
      '/upload': 'http://127.0.0.1:7788',
      '/download': 'http://127.0.0.1:7788',
    },
  },
});
