/**
 * An author's first five minutes, in two real browsers against a real server: fork the fireball, change a number, see it cast; a type error; a loop
 * without an end; publish; somebody else casts it; roll back.
 *
 *     UGC_BIN=../target/release node tests/author.mjs        after `cargo xtask dist` and `npm run build`
 *
 * What is asserted is the page's own state (`window.__game`, `window.__workshop`); the pictures that it leaves in docs/screenshots are for people.
 */

import assert from 'node:assert/strict';
import { openBrowser, until } from './pages.mjs';
import { practiceWorld, startServers } from './servers.mjs';

const PICTURES = new URL('../../docs/screenshots/', import.meta.url).pathname;
/** Software rendering draws a few pictures a second: what a player sees at once takes a moment here. */
const SOON_MS = 20_000;

const servers = await startServers();
const browser = await openBrowser();
try {
  await story();
  console.log('ok');
} finally {
  await browser.close();
  await servers.stop();
}

async function story() {
  const world = await practiceWorld(servers.url);
  const kim = await browser.player(servers.page, 'kim', world);
  const ash = await browser.player(servers.page, 'ash', world);
  const spellId = await forks(kim);
  const first = await changesANumber(kim, spellId);
  await makesATypeError(kim);
  await loopsForEver(kim);
  await loopsInTheWorld(kim);
  await repairs(kim);
  await publishes(kim, ash, spellId);
  await rollsBack(kim, ash, spellId, first);
  assert.deepEqual(kim.problems, [], 'nothing went wrong in the console');
  assert.deepEqual(ash.problems, [], 'nor in the other one');
}

/** E opens the workshop; the fireball of the library is one click away. */
async function forks({ page }) {
  await page.keyboard.press('e');
  await page.locator('#workshop .shelf button[data-name="fireball"]').waitFor();
  await picture(page, 'workshop-shelf');
  await page.locator('#workshop .shelf button[data-name="fireball"]').click();
  await until(page, () => window.__workshop.spellId === 'fireball_kim');
  return 'fireball_kim';
}

/** Ctrl+Enter: built, live for its author alone, cast at the dummy. Answers the revision. */
async function changesANumber({ page }, spellId) {
  await replace(page, 'const DAMAGE: f32 = 25.0;', 'const DAMAGE: f32 = 40.0;');
  const { job, revisionId, liveAfterMs } = await builds(page);
  assert.equal(job.status, 'completed');
  await until(page, () => window.__workshop.casts[0]?.entries.some(({ kind }) => kind === 'hit'), SOON_MS);
  const [cast] = await page.evaluate(() => window.__workshop.casts);
  assert.equal(cast.revisionId, revisionId);
  assert.ok(cast.entries.some(({ text }) => text.startsWith('fireball/launch')), 'its launch was seen');
  assert.ok(cast.entries.some(({ text }) => text === 'hits dummy, 40 damage'), JSON.stringify(cast.entries));
  console.log(`${spellId}: live after ${Math.round(liveAfterMs)} ms, cast after ${Math.round(cast.beganAfterMs)} ms, seen after ${Math.round(cast.seenAfterMs)} ms`);
  await picture(page, 'workshop-cast');
  return revisionId;
}

/** The squiggle is where the mistake is, and the list leads there. */
async function makesATypeError({ page }) {
  await replace(page, 'const DAMAGE: f32 = 40.0;', 'const DAMAGE: f32 = "forty";');
  const { job } = await builds(page);
  assert.equal(job.status, 'failed');
  const line = await page.evaluate(() => window.__workshop.files['src/lib.rs'].split('\n').findIndex((text) => text.includes('"forty"')) + 1);
  const [diagnostic] = await page.evaluate(() => window.__workshop.diagnostics);
  assert.deepEqual([diagnostic.line, diagnostic.code], [line, 'E0308']);
  await page.locator('.problems button').first().click();
  await page.locator('.cm-lintRange-error').waitFor();
  assert.equal(await page.locator('.cm-lintRange-error').textContent(), '"forty"');
  assert.ok(await page.locator('.cm-activeLine').textContent().then((text) => text.includes('"forty"')), 'the cursor is there');
  await picture(page, 'workshop-type-error');
}

/** The trial stops it before anybody casts it, and says why. */
async function loopsForEver({ page }) {
  await replace(page, 'const DAMAGE: f32 = "forty";', 'const DAMAGE: f32 = 40.0;');
  await replace(page, 'let start = cast.origin + cast.aim * 0.8;', 'let start = cast.origin + cast.aim * 0.8; loop {}');
  const { job } = await builds(page);
  assert.equal(job.status, 'failed');
  assert.match(await page.locator('.problems').textContent(), /on-cast.*ran out of fuel.*loop that does not end/s);
  await picture(page, 'workshop-loop-in-trial');
}

/** A loop that the trial does not come across is stopped in the world, with the reason in words. */
async function loopsInTheWorld({ page }) {
  await replace(page, 'loop {}', 'if cast.tick > 300 { loop {} }');
  await builds(page);
  await until(page, () => window.__workshop.casts[0]?.stopped, SOON_MS);
  const [{ stopped }] = await page.evaluate(() => window.__workshop.casts);
  assert.deepEqual([stopped.limit, stopped.hook, stopped.allowed], ['fuel', 'on-cast', 1_000_000]);
  assert.match(await page.locator('.card.stopped').first().textContent(), /One call of on_cast may spend 1,000,000 units of fuel/);
  await picture(page, 'workshop-stopped');
}

async function repairs({ page }) {
  await replace(page, ' if cast.tick > 300 { loop {} }', '');
  const { job } = await builds(page);
  assert.equal(job.status, 'completed');
}

/** The first revision for everybody, and then a second, of which the difference is shown before. Somebody else casts what is published. */
async function publishes(kim, ash, spellId) {
  await publish(kim.page, spellId);
  await until(ash.page, (id) => window.__game.spells.includes(id), SOON_MS, spellId);
  assert.equal(await castBy(ash, spellId), await kim.page.evaluate(() => window.__workshop.built));

  await replace(kim.page, 'const SPEED: f32 = 40.0;', 'const SPEED: f32 = 60.0;');
  await replace(kim.page, '.can(Can::DAMAGE | Can::SPAWN_ENTITIES | Can::MOVE_ENTITIES)', '.can(Can::DAMAGE | Can::SPAWN_ENTITIES | Can::MOVE_ENTITIES | Can::HEAL)');
  assert.equal((await builds(kim.page)).job.status, 'completed');
  await tab(kim.page, 'Publish');
  await kim.page.locator('.capabilities [data-change="new"]', { hasText: 'heal' }).waitFor();
  await kim.page.locator('.difference .cm-deletedChunk', { hasText: '40.0' }).waitFor();
  await picture(kim.page, 'workshop-publish');
  await publish(kim.page, spellId);
  const second = await kim.page.evaluate(() => window.__workshop.built);
  await until(ash.page, ([id, revision]) => window.__game.active?.[id] === revision, SOON_MS, [spellId, second]);
  assert.equal(await castBy(ash, spellId), second);
}

async function rollsBack(kim, ash, spellId, first) {
  await kim.page.getByRole('button', { name: 'Roll back stable' }).click();
  await kim.page.locator('.words', { hasText: `stable is ${first} again` }).waitFor();
  await picture(kim.page, 'workshop-history');
  await until(ash.page, ([id, revision]) => window.__game.active?.[id] === revision, SOON_MS, [spellId, first]);
  assert.equal(await castBy(ash, spellId), first);
}

/** Builds by the key, and answers how it went. */
async function builds(page) {
  await page.locator('.cm-content').first().focus();
  await page.keyboard.press('Control+Enter');
  await until(page, () => window.__workshop.isBuilding);
  await until(page, () => !window.__workshop.isBuilding, SOON_MS);
  return page.evaluate(() => window.__workshop.lastRun);
}

async function publish(page, spellId) {
  await tab(page, 'Publish');
  await page.locator('.publish button.main').click();
  await page.locator('.words', { hasText: 'is stable now, for everybody' }).waitFor();
  await page.locator('.history', { hasText: 'stable' }).waitFor();
}

async function tab(page, title) {
  await page.getByRole('tab', { name: title }).click();
}

/** Edits as if it were typed. */
async function replace(page, from, to) {
  await page.evaluate(([from, to]) => {
    const { editor } = window.__workshop;
    const at = editor.state.doc.toString().indexOf(from);
    if (at < 0) throw new Error(`the source has no ${from}`);
    editor.dispatch({ changes: { from: at, to: at + from.length, insert: to } });
  }, [from, to]);
}

async function picture(page, name) {
  await page.screenshot({ path: `${PICTURES}${name}.png` });
}

/** Casts, and answers the revision that the server says it cast. */
async function castBy({ page }, spellId) {
  const before = await page.evaluate((id) => window.__game.casts[id]?.tick ?? 0, spellId);
  await page.evaluate((id) => window.__game.cast(id), spellId);
  await until(page, ([id, tick]) => window.__game.casts[id]?.tick > tick, SOON_MS, [spellId, before]);
  return page.evaluate((id) => window.__game.casts[id].revisionId, spellId);
}
