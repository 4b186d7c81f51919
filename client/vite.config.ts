import { brotliCompressSync, constants } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Smaller files gain nothing that a request would notice. */
const COMPRESSED_FROM_BYTES = 512;

/** Where the control plane runs that a page under development speaks to. Start that with CORS_ORIGINS set to the page's own origin. */
const CONTROL_PLANE = process.env['UGC_URL'] ?? 'http://127.0.0.1:5000';
const proxy = Object.fromEntries(
  ['/login', '/session', '/join', '/worlds', '/api', '/admin/', '/problems', '/docs', '/favicon.ico'].map((path) => [path, { target: CONTROL_PLANE }]),
);

/** Beside each file its brotli form: the server embeds both and compresses nothing itself. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        const content = Buffer.from(file.type === 'chunk' ? file.code : file.source);
        if (content.length < COMPRESSED_FROM_BYTES) continue;
        const source = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } });
        this.emitFile({ type: 'asset', fileName: `${name}.br`, source });
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
