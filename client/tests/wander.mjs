/**
 * Whether memory stays what it is while one wanders: `UGC_URL=http://127.0.0.1:5000 UGC_MINUTES=60 node tests/wander.mjs`.
 * Not part of the tests: it prints a line a minute, for docs/client.md.
 */

import { readFileSync } from 'node:fs';
import { Player, tell } from './player.mjs';
import { URL } from './server.mjs';

const MINUTES = Number(process.env.UGC_MINUTES ?? 60);
/** One goes straight for so long; in a minute that is some 500 m, and a world of chunks passes by. */
const LEG_MS = 6_000;

async function wander({ browser }) {
  const eve = await Player.open(browser, URL, 'eve');
  await eve.play();
  const page = await eve.context.newCDPSession(eve.page);
  const processes = await browser.newBrowserCDPSession();
  await page.send('Performance.enable');
  await eve.page.keyboard.down('KeyW');
  await eve.page.keyboard.down('ShiftLeft');
  const began = Date.now();
  let [turn, told] = [0, 0];
  console.log('  minute    metres  chunks  meshes  page heap  page and painter');
  while (told <= MINUTES) {
    if (Date.now() - began >= told * 60_000) {
      const [x, , z] = await eve.ask((game) => game.position);
      const { chunks, meshes } = await eve.ask((game) => ({ chunks: game.stats.chunks, meshes: game.meshes.shown }));
      const figures = [told, Math.hypot(x, z).toFixed(0), chunks, meshes, `${await heap(page)} MB`, `${await resident(processes)} MB`];
      console.log(figures.map((figure, n) => String(figure).padStart([8, 10, 8, 8, 11, 18][n])).join(''));
      told += 1;
    }
    // Outward, by a bend now and then; whoever gets stuck jumps.
    turn += 0.9 * Math.sin(turn * 7.3 + told);
    await eve.look(turn, 0);
    await eve.page.keyboard.down('Space');
    await eve.page.waitForTimeout(LEG_MS);
    await eve.page.keyboard.up('Space');
  }
  await eve.context.close();
}

/** What the page holds after a collection. */
async function heap(page) {
  await page.send('HeapProfiler.collectGarbage');
  const { metrics } = await page.send('Performance.getMetrics');
  return mb(metrics.find(({ name }) => name === 'JSHeapUsedSize').value);
}

/** All of the process that the page and its workers are in. The largest renderer is theirs. */
async function resident(processes) {
  const { processInfo } = await processes.send('SystemInfo.getProcessInfo');
  const pages = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0;
    return 1024 * Number(kib);
  });
  return mb(Math.max(...pages));
}

const mb = (bytes) => (bytes / 1e6).toFixed(0);

await tell({ 'one wanders': wander });
