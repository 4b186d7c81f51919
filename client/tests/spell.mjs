/**
 * A spell's page: somebody plays and casts, and a stranger reads what the spell is, sees its numbers come, opens an older revision for good, and forks it.
 * Against a server that runs: `UGC_URL=http://127.0.0.1:5000 node tests/spell.mjs`; with UGC_SCREENSHOTS a picture is put into that folder.
 */

import assert from 'node:assert/strict';
import { Player, TIMEOUT_MS, tell } from './player.mjs';

const URL = process.env.UGC_URL ?? 'http://127.0.0.1:5000';
const WINDOW = { width: 1100, height: 1240 };
/** Between two wishes for the same cast. */
const WISH_EVERY_MS = 700;
/** Worlds tell every five seconds what was cast, and the page looks as often. */
const TOLD_MS = 40_000;
const README = 'A ball of fire.\n\nIt flies straight, and <b>burns</b> whom it hits.';

const STORIES = {
  'a spell is published twice': publishTwice,
  'its page says what it is, and that nobody has cast it': readIt,
  'somebody casts it, and its numbers come': castIt,
  'an older revision has a link of its own': openOlder,
  'it is forked, and is on the bench of the workshop': forkIt,
  'nobody\'s console complained': quiet,
};

async function publishTwice(story) {
  // Names are taken for good: each run has its own.
  story.run = Date.now().toString(36).slice(-4);
  story.spellId = `fireball_${story.run}`;
  const author = await ask('POST', '/login', { username: `ember-${story.run}` });
  const code = (await ask('GET', '/api/library')).find(({ spell_id }) => spell_id === 'fireball').code;
  const publish = async (text) => {
    const files = { 'src/lib.rs': text, 'README.md': README };
    let job = await ask('POST', `/api/spells/${story.spellId}/build`, { files, options: { metadata: { name: 'Fireball' } } }, author);
    while (job.status !== 'completed') {
      assert.notEqual(job.status, 'failed', JSON.stringify(job));
      job = await ask('GET', `/api/jobs/${job.job_id}?wait_ms=500`, undefined, author);
    }
    await ask('POST', `/api/spells/${story.spellId}/publish`, { revision_id: job.result_revision_id, channel: 'stable' }, author);
    return job.result_revision_id;
  };
  story.first = await publish(code);
  story.second = await publish(code.replace('const DAMAGE: f32 = 25.0;', 'const DAMAGE: f32 = 40.0;'));
}

async function readIt(story) {
  const context = await story.browser.newContext({ viewport: WINDOW });
  const page = (story.page = await context.newPage());
  page.setDefaultTimeout(TIMEOUT_MS);
  story.complaints = [];
  page.on('pageerror', (error) => story.complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && story.complaints.push(message.text()));
  await page.goto(`${URL}/spell/${story.spellId}`);
  await page.locator('h1', { hasText: 'Fireball' }).waitFor();
  await page.locator('.head p', { hasText: `${story.spellId}, by ember-${story.run}; ${story.second}, stable` }).waitFor();
  // As it was written, and nothing of it is taken for markup.
  assert.equal(await page.locator('.readme').textContent(), README);
  await page.locator('.source pre', { hasText: 'const DAMAGE: f32 = 40.0;' }).waitFor();
  await page.locator('.meters label', { hasText: 'mana a cast' }).waitFor();
  await page.locator('.usage', { hasText: 'No cast of it has ended in any world yet.' }).waitFor();
  const revisions = await page.locator('section', { hasText: 'Revisions' }).locator('tr td:first-child').allTextContents();
  assert.deepEqual(revisions, [story.second, story.first]);
}

async function castIt(story) {
  const { browser, page, spellId } = story;
  const kim = (story.kim = await Player.open(browser, `${URL}/`, `kim-${story.run}`));
  await kim.play();
  await kim.until('for the spell', (game, id) => game.spells.includes(id), spellId);
  const number = (await kim.ask((game) => game.spells)).indexOf(spellId) + 1;
  assert.ok(number <= 9, 'it has a key');
  const wishing = setInterval(() => kim.page.keyboard.press(`Digit${number}`).catch(() => undefined), WISH_EVERY_MS);
  const used = async () => (await ask('GET', `/api/spells/${spellId}/usage`)).revisions.find(({ revision_id }) => revision_id === story.second);
  try {
    await page.locator('.usage p', { hasText: /[1-9]\d* casts? (has|have) ended; none of them were stopped \(0 %\)/ }).waitFor({ timeout: TOLD_MS });
    await page.locator('.usage [aria-label="who runs it"] a').first().waitFor();
  } finally {
    clearInterval(wishing);
  }
  // Whatever is shown is what the control plane says, or said some seconds ago.
  const { casts, faults, fuel_p50, fuel_p99, players, worlds } = await used();
  assert.ok(casts >= 1 && faults === 0 && players === 1, `${casts} casts, ${faults} faults, ${players} players`);
  assert.ok(fuel_p50 > 12_000 && fuel_p99 >= fuel_p50 && fuel_p99 < 1_000_000, `${fuel_p50} and ${fuel_p99} units of fuel`);
  const world = await kim.ask((game) => game.world);
  assert.ok(worlds.some(({ world_id }) => world_id === world), JSON.stringify(worlds));
  assert.equal(await page.locator(`.usage a[href="/?world=${world}"]`).count(), 1);
  // As often as its envelope lets it be called, and a million units of fuel each time.
  const { duration, frequency } = (await ask('GET', `/api/spells/${spellId}/revisions/${story.second}/manifest`)).manifest.envelope;
  const most = 1_000_000 * (1 + Math.ceil(duration.max_seconds * frequency.max_hz));
  for (const name of ['fuel, p50', 'fuel, p99']) {
    const bar = page.locator('.usage label', { hasText: name }).locator('meter');
    assert.ok(Number(await bar.getAttribute('value')) > 12_000, name);
    assert.equal(await bar.getAttribute('max'), String(most));
  }
  await page.locator('tr[aria-current]', { hasText: '0 % stopped' }).waitFor();
  if (!process.env.UGC_SCREENSHOTS) return;
  await page.screenshot({ path: `${process.env.UGC_SCREENSHOTS}/spell.png` });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.screenshot({ path: `${process.env.UGC_SCREENSHOTS}/spell-dark.png` });
  await page.emulateMedia({ colorScheme: 'light' });
}

async function openOlder({ page, spellId, first }) {
  await page.locator('section', { hasText: 'Revisions' }).getByRole('link', { name: first }).click();
  await page.locator('.head p', { hasText: `${first}, an earlier revision` }).waitFor();
  assert.equal(new globalThis.URL(page.url()).search, `?revision=${first}`);
  await page.locator('.source pre', { hasText: 'const DAMAGE: f32 = 25.0;' }).waitFor();
  await page.locator('.usage', { hasText: 'No cast of it has ended' }).waitFor();
  assert.equal(await page.locator('.head a').getAttribute('href'), `/spell/${spellId}?revision=${first}`);
}

/** The older one, which is what is shown. */
async function forkIt({ page, run, spellId, first }) {
  await page.getByRole('button', { name: 'Fork', exact: true }).click();
  await page.getByLabel('Your name').fill(`Ash-${run}`);
  const id = page.getByLabel('The id of your spell');
  assert.equal(await id.inputValue(), `${spellId}_ash_${run}`);
  await id.fill('Not an id');
  await page.getByRole('button', { name: 'Fork it' }).click();
  await page.locator('.fork p', { hasText: 'An id is a small letter' }).waitFor();
  await id.fill(`cinder_${run}`);
  await page.getByRole('button', { name: 'Fork it' }).click();
  await page.locator('.fork p', { hasText: `cinder_${run} rev_000001_` }).waitFor();
  await page.getByRole('link', { name: 'Open it in the workshop' }).click();
  await page.locator('#menu button.main').click();
  await page.waitForFunction((id) => window.__workshop?.spellId === id, `cinder_${run}`, { polling: 50 });
  const source = await page.evaluate(() => window.__workshop.files['src/lib.rs']);
  assert.ok(source.includes('const DAMAGE: f32 = 25.0;'), `it is made of ${first}`);
}

async function quiet({ kim, complaints }) {
  assert.deepEqual([...kim.complaints, ...complaints], []);
}

async function ask(method, path, body, player) {
  const headers = { 'Content-Type': 'application/json', ...(player && { Authorization: `Bearer ${player.session_token}` }) };
  const reply = await fetch(URL + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${await reply.clone().text()}`);
  return reply.json();
}

await tell(STORIES);
