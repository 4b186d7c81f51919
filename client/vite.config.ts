import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Smaller files gain nothing that a request would notice. */
const COMPRESSED_FROM_BYTES = 512;

/** Where the control plane runs that a page under development speaks to. Start that with CORS_ORIGINS set to the page's own origin. */
const CONTROL_PLANE = process.env['UGC_URL'] ?? 'http://127.0.0.1:5000';
const proxy = Object.fromEntries(
  ['/login', '/session', '/join', '/worlds', '/api', '/admin/', '/problems', '/docs', '/guide', '/favicon.ico'].map((path) => [path, { target: CONTROL_PLANE }]),
);

/** Beside each file its brotli form: the server embeds both and compresses nothing itself. Files are what they are only once they are written. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    writeBundle({ dir = '' }, bundle) {
      for (const name of Object.keys(bundle)) {
        const content = readFileSync(join(dir, name));
        if (content.length < COMPRESSED_FROM_BYTES) continue;
        const options = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } };
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(content, options));
      }
    },
  };
}

export default defineConfig({
  build: {
    target: 'es2022',
    // The folder itself is checked in, empty; `npm run build` clears it.
    emptyOutDir: false,
    // Nothing is inlined: the page's policy allows no scripts or styles but files.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
    // The game, the operator's page, and that of a spell.
    rollupOptions: { input: ['index.html', 'admin.html', 'spell.html'] },
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  plugins: [precompress()],
  server: { proxy },
  preview: { proxy },
});
