/**
 * An author's first five minutes, in two browsers, against a server that runs: `UGC_URL=http://127.0.0.1:5000 node tests/author.mjs`.
 * The server's GENERATOR_COMMAND is to write the library's fireball, with something to warn of.
 * With UGC_SCREENSHOTS pictures are put into that folder.
 */

import assert from 'node:assert/strict';
import { Player, tell, TIMEOUT_MS } from './player.mjs';
import { ask, URL } from './server.mjs';

const PAGE = process.env.UGC_PAGE ?? URL;
/** An editor wants some room. */
const WINDOW = { width: 1200, height: 760 };

/** A picture of one pixel, and what begins as a sound and is none. */
const DOT = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const NO_SOUND = Buffer.from('RIFF\x08\0\0\0WAVEnone', 'latin1');

/** Between two wishes for the same cast. */
const WISH_EVERY_MS = 700;

const STORIES = {
  'both come in': comeIn,
  'the fireball is forked': fork,
  'a number is changed, and seen a second later': changeANumber,
  'files are added, renamed and removed': files,
  'a type error is underlined': makeATypeError,
  'a loop without an end is stopped before anybody casts it': loopForEver,
  'one that the trial does not come across is stopped in the world': loopInTheWorld,
  'what is published is cast by somebody else': publishIt,
  'the difference is shown before the next one is published': publishTheNext,
  'it is rolled back': rollBack,
  'what was published is forked, and says where it is from': forkIt,
  'words become a spell': prompt,
  'nobody\'s console complained': quiet,
};

async function comeIn(story) {
  // Names are taken for good: each run has its own.
  const run = Date.now().toString(36).slice(-4);
  story.kim = await Player.open(story.browser, `${PAGE}/`, `kim-${run}`);
  await story.kim.play();
  story.ash = await Player.open(story.browser, story.kim.page.url(), `ash-${run}`);
  await story.ash.play();
  // Who comes in stands where the last one came in, and would be all that one sees.
  await story.ash.page.keyboard.down('KeyA');
  await until(story.ash, 'to walk aside', () => Math.hypot(...window.__game.position.map((axis, n) => axis - (window.began ??= window.__game.position)[n])) > 2.5);
  await story.ash.page.keyboard.up('KeyA');
  story.spellId = `fireball_kim_${run}`;
  await story.kim.page.setViewportSize(WINDOW);
}

/** E opens the workshop; the fireball of the library is one click away. */
async function fork({ kim, spellId }) {
  const { page } = kim;
  await page.keyboard.press('e');
  await page.locator('#workshop .shelf button[data-name="fireball"]').waitFor();
  await picture(kim, 'workshop-shelf.png');
  await page.locator('#workshop .shelf button[data-name="fireball"]').click();
  await until(kim, 'for the editor', (id) => window.__workshop.spellId === id, spellId);
}

/** Ctrl+Enter: built, live for its author alone, cast at the dummy. */
async function changeANumber(story) {
  const { kim } = story;
  await replace(kim, 'const DAMAGE: f32 = 25.0;', 'const DAMAGE: f32 = 40.0;');
  const { job, revisionId, liveAfterMs } = await build(kim);
  assert.equal(job.status, 'completed');
  await until(kim, 'for a hit', () => window.__workshop.casts[0]?.entries.some(({ kind }) => kind === 'hit'));
  const [cast] = await kim.page.evaluate(() => window.__workshop.casts);
  assert.equal(cast.revisionId, revisionId);
  assert.ok(cast.entries.some(({ text }) => text === 'fireball/launch'), 'its launch was seen');
  assert.ok(cast.entries.some(({ text }) => text === 'hits dummy, 40 damage'), JSON.stringify(cast.entries));
  await until(kim, 'for what it came to', () => window.__workshop.casts[0]?.report);
  const { reason, hooks, mana, memory_bytes } = (await kim.page.evaluate(() => window.__workshop.casts))[0].report;
  assert.equal(reason, 'finished');
  assert.deepEqual(hooks.map(({ hook }) => hook), ['on-cast', 'on-event']);
  assert.ok(mana > 0 && memory_bytes > 0 && hooks.every(({ fuel, fuel_max }) => fuel >= fuel_max && fuel_max > 0), JSON.stringify(hooks));
  await kim.page.locator('.card', { hasText: 'over by itself' }).getByText('on-event × 1').waitFor();
  const [live, began, seen] = [liveAfterMs, cast.beganAfterMs, cast.seenAfterMs].map(Math.round);
  console.log(`  from Ctrl+Enter: live after ${live} ms, cast after ${began} ms, on the screen after ${seen} ms`);
  await picture(kim, 'workshop-cast.png');
}

/** A second source file, a picture and a sound; the server has checked what it can, and the page the rest. */
async function files({ kim }) {
  const { page } = kim;
  await addFile(kim, 'src/../numbers.rs');
  await page.locator('.files .problem', { hasText: 'names are of letters' }).waitFor();
  await addFile(kim, 'src/numbers.rs');
  await replace(kim, '', '/// Health taken from what the ball hits.\npub const DAMAGE: f32 = 40.0;\n');
  await rename(kim, 'src/numbers.rs', 'src/figures.rs');
  await chooseTab(kim, 'src/lib.rs');
  await replace(kim, 'const DAMAGE: f32 = 40.0;', 'mod figures;\nuse figures::DAMAGE;');

  await chooseTab(kim, 'assets/fireball/launch.wav');
  await page.getByRole('button', { name: 'Remove assets/fireball/launch.wav' }).click();
  const disk = page.locator('.files input[type="file"]');
  await disk.setInputFiles([{ name: 'launch.wav', mimeType: 'audio/wav', buffer: NO_SOUND }, { name: 'a dot.png', mimeType: 'image/png', buffer: DOT }, { name: 'run.exe', mimeType: '', buffer: DOT }]);
  await page.locator('.files .problem', { hasText: 'run.exe: it takes' }).waitFor();
  await rename(kim, 'assets/launch.wav', 'assets/fireball/launch.wav');
  await rename(kim, 'assets/a_dot.png', 'assets/fireball/burst.png');
  await picture(kim, 'workshop-files.png');
  assert.equal((await build(kim)).job.status, 'completed');
  await page.locator('.feed .bad', { hasText: 'assets/fireball/launch.wav: it cannot be decoded' }).waitFor();
  await until(kim, 'for the burst by its own files', () => window.__game.cues['fireball/burst'] > 0);

  await chooseTab(kim, 'src/figures.rs');
  await page.getByRole('button', { name: 'Remove src/figures.rs' }).click();
  await replace(kim, 'mod figures;\nuse figures::DAMAGE;', 'const DAMAGE: f32 = 40.0;');
  assert.deepEqual(await page.evaluate(() => [Object.keys(window.__workshop.files), window.__workshop.assets]), [
    ['src/lib.rs', 'assets/fireball/burst.json', 'assets/fireball/launch.json'],
    ['assets/fireball/burst.wav', 'assets/fireball/launch.wav', 'assets/fireball/burst.png'],
  ]);
}

async function addFile({ page }, path) {
  await page.getByRole('button', { name: 'Add a file' }).click();
  await page.getByLabel('the file’s path').fill(path);
  await page.keyboard.press('Enter');
}

async function rename(player, from, to) {
  await chooseTab(player, from);
  await player.page.getByRole('button', { name: `Rename ${from}` }).click();
  await player.page.getByLabel('the file’s path').fill(to);
  await player.page.keyboard.press('Enter');
  await player.page.locator('.files [aria-selected="true"]', { hasText: to }).waitFor();
}

async function chooseTab({ page }, path) {
  await page.locator('.files').getByRole('tab', { name: path, exact: true }).click();
}

/** The squiggle is where the mistake is, and the list leads there. */
async function makeATypeError({ kim }) {
  await replace(kim, 'const DAMAGE: f32 = 40.0;', 'const DAMAGE: f32 = "forty";');
  const { job } = await build(kim);
  assert.equal(job.status, 'failed');
  const line = await kim.page.evaluate(() => window.__workshop.files['src/lib.rs'].split('\n').findIndex((text) => text.includes('"forty"')) + 1);
  const [diagnostic] = await kim.page.evaluate(() => window.__workshop.diagnostics);
  assert.deepEqual([diagnostic.line, diagnostic.code], [line, 'E0308']);
  await kim.page.locator('.problems button').first().click();
  await kim.page.locator('.cm-lintRange-error').waitFor();
  assert.equal(await kim.page.locator('.cm-lintRange-error').textContent(), '"forty"');
  assert.match(await kim.page.locator('.cm-activeLine').textContent(), /"forty"/, 'the cursor is there');
  await picture(kim, 'workshop-type-error.png');
}

async function loopForEver({ kim }) {
  await replace(kim, 'const DAMAGE: f32 = "forty";', 'const DAMAGE: f32 = 40.0;');
  await replace(kim, 'let start = cast.origin + cast.aim * 0.8;', 'let start = cast.origin + cast.aim * 0.8; loop {}');
  const { job } = await build(kim);
  assert.equal(job.status, 'failed');
  assert.match(await kim.page.locator('.problems').textContent(), /on-cast.*ran out of fuel.*loop that does not end/s);
  await picture(kim, 'workshop-loop-in-trial.png');
}

async function loopInTheWorld({ kim }) {
  // The worlds of the trial are younger.
  await replace(kim, 'loop {}', 'if cast.tick > 300 { loop {} }');
  await build(kim);
  await until(kim, 'to be stopped', () => window.__workshop.casts[0]?.stopped);
  const [{ stopped }] = await kim.page.evaluate(() => window.__workshop.casts);
  assert.deepEqual([stopped.limit, stopped.hook, stopped.allowed], ['fuel', 'on-cast', 1_000_000]);
  const card = kim.page.locator('.card.stopped', { hasText: 'One call of on_cast may spend 1,000,000 units of fuel' });
  await card.waitFor();
  await explained(kim, card.locator('a.more'));
  await picture(kim, 'workshop-stopped.png');
}

/** What the guide says about it is where the link leads. */
async function explained({ page }, link) {
  const [address, anchor] = (await link.getAttribute('href')).split('#');
  const answer = await page.request.get(new globalThis.URL(address, PAGE).href);
  assert.ok(answer.ok() && (await answer.text()).includes(`id="${anchor}"`), `${address}#${anchor}`);
}

async function publishIt(story) {
  const { kim, ash, spellId } = story;
  await replace(kim, ' if cast.tick > 300 { loop {} }', '');
  assert.equal((await build(kim)).job.status, 'completed');
  story.first = await publish(kim);
  await until(ash, 'for the spell', ([id, revision]) => window.__game.active[id] === revision, [spellId, story.first]);
  assert.equal(await cast(ash, spellId), story.first);
}

async function publishTheNext({ kim, ash, spellId }) {
  await replace(kim, 'const SPEED: f32 = 40.0;', 'const SPEED: f32 = 60.0;');
  await replace(kim, 'Can::SPAWN_ENTITIES | Can::MOVE_ENTITIES)', 'Can::SPAWN_ENTITIES | Can::MOVE_ENTITIES | Can::HEAL)');
  assert.equal((await build(kim)).job.status, 'completed');
  await tab(kim, 'Publish');
  await kim.page.locator('.capabilities [data-change="new"]', { hasText: 'heal' }).waitFor();
  await kim.page.locator('.difference .cm-deletedChunk', { hasText: '40.0' }).waitFor();
  await picture(kim, 'workshop-publish.png');
  const second = await publish(kim);
  await until(ash, 'for the new one', ([id, revision]) => window.__game.active[id] === revision, [spellId, second]);
  assert.equal(await cast(ash, spellId), second);
}

async function rollBack({ kim, ash, spellId, first }) {
  await kim.page.getByRole('button', { name: 'Roll back stable' }).click();
  await kim.page.locator('.words', { hasText: `stable is ${first} again` }).waitFor();
  await picture(kim, 'workshop-history.png');
  await until(ash, 'for the old one', ([id, revision]) => window.__game.active[id] === revision, [spellId, first]);
  assert.equal(await cast(ash, spellId), first);
}

async function forkIt(story) {
  const { ash, spellId, first } = story;
  await ash.page.setViewportSize(WINDOW);
  await ash.page.keyboard.press('e');
  await ash.page.locator('#workshop .shelf button', { hasText: spellId }).click();
  const own = `${spellId}_${ash.name.replace('-', '_')}`;
  await until(ash, 'for the fork', (id) => window.__workshop?.spellId === id, own);
  assert.equal(await publish(ash), await ash.page.evaluate(() => window.__workshop.built));
  const { manifest } = await ask('GET', `/api/spells/${own}/revisions/${await ash.page.evaluate(() => window.__workshop.built)}/manifest`);
  assert.deepEqual([manifest.origin.spell_id, manifest.origin.revision_id, manifest.origin.author], [spellId, first, story.kim.name]);
}

/** Words go in, and source comes out in the editor, with what the compiler said of it. */
async function prompt({ ash }) {
  const { page } = ash;
  await page.getByRole('button', { name: 'Open…' }).click();
  await page.getByLabel('what the spell shall do').fill('A ball of fire!');
  await picture(ash, 'workshop-prompt.png');
  await page.getByRole('button', { name: 'Write it' }).click();
  await until(ash, 'for what was written', (id) => window.__workshop.spellId === id, `a_ball_of_${ash.name.replace('-', '_')}`);
  assert.match(await page.evaluate(() => window.__workshop.files['src/lib.rs']), /pub struct Fireball/);
  const [diagnostic] = await page.evaluate(() => window.__workshop.diagnostics);
  assert.deepEqual([diagnostic.severity, diagnostic.code], ['warning', 'unused_variables']);
  await picture(ash, 'workshop-written.png');
}

async function quiet({ kim, ash }) {
  assert.deepEqual([...kim.complaints, ...ash.complaints], []);
}

/** Builds by the key, and answers how it went. */
async function build(player) {
  await player.page.locator('.cm-content').first().focus();
  const before = await player.page.evaluate(() => window.__workshop.lastRun?.job.job_id ?? '');
  await player.page.keyboard.press('Control+Enter');
  await until(player, 'for the build', (before) => !window.__workshop.isBuilding && window.__workshop.lastRun && window.__workshop.lastRun.job.job_id !== before, before);
  return player.page.evaluate(() => window.__workshop.lastRun);
}

/** To stable, for everybody; answers the revision. */
async function publish(player) {
  await tab(player, 'Publish');
  await player.page.locator('.publish button.main').click();
  await player.page.locator('.words', { hasText: 'is stable now, for everybody' }).waitFor();
  await player.page.locator('.history .chip[data-channel="stable"]').waitFor();
  return player.page.evaluate(() => window.__workshop.built);
}

async function tab({ page }, title) {
  await page.getByRole('tab', { name: title }).click();
}

/** Edits as if it were typed. */
async function replace({ page }, from, to) {
  await page.evaluate(([from, to]) => {
    const { editor } = window.__workshop;
    const at = editor.state.doc.toString().indexOf(from);
    if (at < 0) throw new Error(`the source has no ${from}`);
    editor.dispatch({ changes: { from: at, to: at + from.length, insert: to } });
  }, [from, to]);
}

/** Casts by the spell's number, and answers the revision that the server says it cast. */
async function cast({ page, ...player }, spellId) {
  const before = await page.evaluate((id) => window.__game.casts[id]?.tick ?? 0, spellId);
  const number = await page.evaluate((id) => window.__game.spells.indexOf(id) + 1, spellId);
  // Who has little mana left has to wish again.
  const wishing = setInterval(() => page.keyboard.press(`Digit${number}`).catch(() => undefined), WISH_EVERY_MS);
  await until({ page, ...player }, 'for the cast', ([id, tick]) => window.__game.casts[id]?.tick > tick, [spellId, before]).finally(() => clearInterval(wishing));
  return page.evaluate((id) => window.__game.casts[id].revisionId, spellId);
}

async function until({ page, name }, what, holds, argument) {
  await page.waitForFunction(holds, argument, { timeout: TIMEOUT_MS, polling: 50 }).catch(() => {
    throw new Error(`${name} has waited in vain ${what}`);
  });
}

/** A picture of the page as it is, if pictures are wanted. */
async function picture({ page }, file) {
  const folder = process.env.UGC_SCREENSHOTS;
  if (!folder) return;
  await page.evaluate(() => window.__game.sharp(true));
  await page.waitForTimeout(500);
  await page.screenshot({ path: `${folder}/${file}` });
  await page.evaluate(() => window.__game.sharp(false));
}

await tell(STORIES);
