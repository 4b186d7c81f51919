/** A control plane with fresh data, and the page in front of it. */

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { preview } from 'vite';

const CLIENT = new URL('..', import.meta.url).pathname;
const BINARIES = process.env.UGC_BIN ?? join(CLIENT, '../target/release');
const HEALTHY_WITHIN_MS = 20_000;

export async function startServers() {
  const [port, pagePort] = [await freePort(), await freePort()];
  const [url, page] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${pagePort}`];
  const data = await mkdtemp(join(tmpdir(), 'ugc-author-'));
  const env = { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: String(port), DATA_DIR: data, CORS_ORIGINS: page };
  const control = spawn(join(BINARIES, 'ugc-control'), { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((over) => control.once('exit', over));
  await healthy(url);
  process.env.UGC_URL = url;
  const front = await preview({ root: CLIENT, preview: { port: pagePort, host: '127.0.0.1', strictPort: true }, logLevel: 'warn' });
  const stop = async () => {
    await front.close();
    control.kill('SIGTERM');
    await ended;
    await rm(data, { recursive: true });
  };
  return { url, page, stop };
}

/** A flat world with a dummy before its spawn. */
export async function practiceWorld(url) {
  const { session_token } = await ask(url, 'POST', '/login', { username: 'keeper' });
  const { world } = await ask(url, 'POST', '/worlds', { name: 'practice', generation: 'floor' }, session_token);
  const dummy = { entity_type: 2, name: 'dummy', position: [0, 1.9, -10], temper: 'dummy' };
  await ask(url, 'POST', `/world/${world.world_id}`, { chunks: floor(), entities: [dummy] }, session_token);
  return world.world_id;
}

/** One voxel of ground under five chunks by five. */
function floor() {
  const voxels = Uint8Array.from({ length: 32 ** 3 }, (_, index) => (Math.floor(index / 32) % 32 === 0 ? 1 : 0));
  const data = gzipSync(voxels).toString('base64');
  const places = [-2, -1, 0, 1, 2];
  return places.flatMap((x) => places.map((z) => ({ chunk_id: [x, 0, z], data })));
}

async function ask(url, method, path, body, token) {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  const reply = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${method} ${path}: ${await reply.text()}`);
  return reply.json();
}

async function healthy(url) {
  for (const deadline = Date.now() + HEALTHY_WITHIN_MS; ; await new Promise((over) => setTimeout(over, 50))) {
    if (await fetch(`${url}/healthz`).then(({ ok }) => ok, () => false)) return;
    if (Date.now() > deadline) throw new Error(`${url} is not healthy`);
  }
}

function freePort() {
  return new Promise((answer) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => answer(port));
    });
  });
}
