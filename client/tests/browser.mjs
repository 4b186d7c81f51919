/**
 * A player's first minute, in two browsers, against a server that runs: `UGC_URL=http://127.0.0.1:5000 npm test`.
 * With UGC_CONTROL_PID its game server is killed, too; with UGC_SCREENSHOTS pictures are put into that folder.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Player, tell } from './player.mjs';
import { ask, library, publish, URL } from './server.mjs';

const PAGE = process.env.UGC_PAGE ?? URL;
const CONTROL_PID = process.env.UGC_CONTROL_PID;
/** What the library's fireball brings for its cues. */
const ASSETS = ['launch.wav', 'launch.json', 'burst.wav', 'burst.json'].map((name) => `assets/fireball/${name}`);

const STORIES = {
  'both come in, one by the other\'s link': comeIn,
  'who sees near has near meshes, and the others when they are wanted': view,
  'they see each other walk, and nothing is corrected': walk,
  'what one digs is gone for both, and heard': dig,
  'a spell goes live, is cast, and both see it fly': cast,
  'a newcomer casts within seconds': firstCast,
  'what one says the other reads': talk,
  'a key that is held shows how far the spell reaches': preview,
  'over a bad line the player still goes where the server says': badLine,
  'a killed server is come back to by itself': killed,
  'nobody\'s console complained': quiet,
};

async function comeIn(story) {
  const kim = (story.kim = await Player.open(story.browser, `${PAGE}/`, 'kim'));
  await kim.picture('menu.png');
  say('standing in the world', `${await kim.play()} ms after the page was opened`);
  const link = new globalThis.URL(kim.page.url());
  assert.match(link.searchParams.get('world') ?? '', /^world_[0-9a-f]{8}$/);
  const ann = (story.ann = await Player.open(story.browser, link.href, 'ann'));
  await ann.page.locator('#menu').getByLabel('how far one sees').selectOption('near');
  await ann.play();
  assert.equal(await ann.ask((game) => game.world), await kim.ask((game) => game.world));
  for (const player of [kim, ann]) await player.until('for both names', (game) => game.players.includes('kim') && game.players.includes('ann'));
}

/** Ann sees 48 m; the chunks of the world's other parts come all the same, and are drawn once she sets it so. */
async function view({ kim, ann }) {
  await Promise.all([kim.settles(), ann.settles()]);
  const [near, all] = await Promise.all([ann, kim].map((player) => player.ask((game) => game.meshes.shown)));
  assert.ok(near < all / 2, `${near} of ${all} meshes are near`);
  assert.deepEqual(await Promise.all([ann, kim].map((player) => player.ask((game) => game.meshes.unseen > 0))), [true, false]);
  await ann.page.locator('#view').focus();
  await ann.page.keyboard.press('Tab');
  await ann.page.locator('#overlay').getByLabel('how far one sees').selectOption('far');
  await ann.until('to have nearly all', (game, all) => game.meshes.unseen === 0 && game.meshes.shown > 0.9 * all, all);
  assert.equal(JSON.parse(await ann.page.evaluate(() => localStorage.getItem('ugc-world-settings'))).view, 'far');
  await ann.page.locator('#view').focus();
  await ann.page.keyboard.press('Tab');
}

async function walk({ kim, ann }) {
  // Between the dummy and the crates: those who are pushed go where no input says.
  await kim.look(0.2, 0);
  await ann.look(-0.2, 0);
  for (const player of [kim, ann]) await player.settles();
  const places = [await kim.sees('ann'), await ann.sees('kim')];
  const before = await corrections(kim, ann);
  await Promise.all([kim.hold('KeyW', 2_500), ann.hold('KeyW', 2_500)]);
  await Promise.all([kim, ann].map((player) => player.hold('Space', 300)));
  await Promise.all([kim.seesStanding(ann), ann.seesStanding(kim)]);
  const moved = [distance(places[0], await kim.sees('ann')), distance(places[1], await ann.sees('kim'))];
  assert.ok(Math.min(...moved) > 3, `they see each other move ${moved} m`);
  const { count, late } = minus(await corrections(kim, ann), before);
  say('corrections of two who walk', `${count}, ${late} of them by inputs that came late`);
  assert.equal(count - late, 0, 'what the server does with the same inputs is what was predicted');
  await kim.picture('two-players.png', async () => kim.face(await kim.sees('ann')));
}

async function dig({ kim, ann }) {
  const [x, y, z] = await kim.ask((game) => game.position);
  await kim.face([x + 3, y - 0.9, z]);
  const hole = await kim.ask((game) => game.target);
  const look = [[x, y + 0.7, z], hole.map((axis, n) => axis - [x, y + 0.7, z][n])];
  const ground = (player) => player.ask((game, [from, toward]) => game.ground(from, toward), look);
  const before = await ground(kim);
  // Where the mouse is: the pointer is the game's, and to move it is to turn.
  await kim.page.mouse.down({ button: 'right' });
  await kim.page.mouse.up({ button: 'right' });
  const deeper = (game, [[from, toward], before]) => game.ground(from, toward) > before + 0.9;
  for (const player of [kim, ann]) await player.until('for the hole', deeper, [look, before]);
  assert.equal(await ground(kim), await ground(ann));
  assert.deepEqual(await Promise.all([kim, ann].map((player) => player.ask((game) => game.stats.chunksWrong))), [0, 0]);
  for (const player of [kim, ann]) await player.until('to hear it', (game) => game.sound.played.dig);
  const meshes = await kim.ask((game) => game.meshes);
  say('a mesh', `${(meshes.tookMs / meshes.made).toFixed(2)} ms on average of ${meshes.made}`);
  await kim.picture('dig.png', async () => {
    await kim.page.keyboard.down('KeyS');
    await kim.page.waitForTimeout(250);
    await kim.page.keyboard.up('KeyS');
    await kim.face(hole);
  });
}

async function cast(story) {
  const { kim, ann } = story;
  story.author = await ask('POST', '/login', { username: 'author' });
  const assets = Object.fromEntries(ASSETS.map((path) => [path, library(`fireball/${path}`, 'base64')]));
  await publish(story.author, 'fireball', library('fireball/src/lib.rs'), { name: 'Fireball', assets });
  for (const player of [kim, ann]) await player.until('for the spell', (game) => game.spells.includes('fireball'));
  // Over their heads it flies for more than a second; what hits is gone before a slow picture has drawn it.
  await kim.look(0.5, 0.5);
  const flies = ann.until('to see it fly', (game) => game.others.some((other) => other.kind === 3));
  await kim.page.keyboard.press('Digit1');
  await flies;
  // Files that come too late for a cue are there for the next.
  const knows = ({ cues, sound }) => Boolean(cues['fireball/launch'] && cues['fireball/burst'] && sound.played['fireball/burst']);
  for (let again = 0; again < 6 && !(await kim.ask(knows) && (await ann.ask(knows))); again++) {
    await kim.until('to have mana', (game) => game.mana > 30);
    await kim.face(await kim.sees('ann'));
    await kim.page.keyboard.press('Digit1');
    await kim.tick(150);
  }
  for (const player of [kim, ann]) {
    await player.until('to see and hear its files', knows);
    assert.equal(await player.ask((game) => game.sound.state), 'running');
  }
  await kim.until('to hear the cast and the hit', ({ sound }) => sound.played.cast && sound.played.hit);
  await kim.picture('fireball.png', async () => {
    await kim.face(await kim.sees('ann'));
    await kim.page.waitForTimeout(600);
    await kim.page.keyboard.press('Digit1');
    await kim.page.mouse.down();
  });
  await kim.page.mouse.up();
}

/** From opening the page. */
async function firstCast({ browser, ann }) {
  const eve = await Player.open(browser, ann.page.url(), 'eve');
  await eve.play();
  await eve.until('for the spell', (game) => game.spells.includes('fireball') && game.mana === 100);
  await eve.page.keyboard.press('Digit1');
  await eve.until('to have cast and paid', (game) => game.mana !== null && game.mana < 99);
  say('the first cast', `${Date.now() - eve.openedMs} ms after the page was opened`);
  await eve.until('to hear what it came to', (game) => game.ended.fireball > 0);
  await ann.until('to see eve', (game) => game.players.includes('eve'));
  assert.deepEqual(eve.complaints, []);
  await eve.context.close();
}

async function talk({ kim, ann }) {
  const { keyboard } = kim.page;
  const before = await kim.ask((game) => game.position);
  await kim.page.locator('#view').focus();
  await keyboard.press('Enter');
  await keyboard.type('well met, ann \u2764 WASD');
  await keyboard.press('Enter');
  await ann.until('to read it', (game) => game.chat.includes('kim: well met, ann \u2764 WASD'));
  await kim.tick(10);
  assert.ok(distance(await kim.ask((game) => game.position), before) < 0.01, 'what is written walks nowhere');
  await ann.page.locator('#view').focus();
  await ann.page.keyboard.press('Enter');
  await ann.page.keyboard.type('<b>hi</b>');
  await ann.page.keyboard.press('Enter');
  await kim.page.locator('.chat p', { hasText: '<b>hi</b>' }).waitFor();
  await kim.picture('chat.png', async () => {
    await kim.face(await kim.sees('ann'));
    await keyboard.press('Enter');
    await keyboard.type('shall we duel?');
  });
  await keyboard.press('Escape');
}

/** Beyond the reach, and within it; Escape takes it back, and letting go casts. */
async function preview(story) {
  const { kim } = story;
  const { keyboard } = kim.page;
  await publish(story.author, 'gust', library('gust/src/lib.rs'), { name: 'Gust' });
  await kim.until('for the spell', (game) => game.spells.includes('gust'));
  await kim.look(0.4, 0.3);
  await keyboard.down('Digit2');
  await kim.until('to see that the sky is beyond reach', (game) => game.preview?.radius === 12 && !game.preview.within);
  await keyboard.press('Escape');
  await keyboard.up('Digit2');
  await kim.tick(30);
  assert.deepEqual(await kim.ask((game) => [game.preview, game.casts.gust ?? null]), [null, null], 'Escape takes it back');
  await kim.look(0.4, -0.6);
  await keyboard.down('Digit2');
  await kim.until('to see that the ground is within reach', (game) => game.preview?.within);
  await kim.page.locator('.preview', { hasText: 'within reach' }).filter({ hasText: 'by author' }).waitFor();
  await kim.picture('aim.png', async () => kim.face(await kim.sees('dummy')));
  await keyboard.up('Digit2');
  await kim.until('for the cast', (game) => game.casts.gust);
}

async function badLine({ kim, ann }) {
  await kim.page.keyboard.press('Tab');
  await kim.page.getByLabel('added latency').fill('200');
  await kim.page.getByLabel('loss').fill('5');
  await kim.page.locator('#view').focus();
  await kim.until('to feel the line', (game) => game.rttMs > 150);
  // The server's copy of the shot is a third of a second away.
  await kim.page.mouse.down();
  await kim.until('to see the own shot', (game) => game.others.some(({ kind, id }) => kind === 3 && id > 2 ** 52));
  await kim.page.mouse.up();
  const before = await kim.ask((game) => game.stats.corrections);
  const began = Date.now();
  for (let turn = 0; turn < 6; turn++) {
    await kim.look(turn, 0);
    await kim.hold('KeyW', 1_000);
    await kim.hold('Space', 300);
  }
  const perMinute = (60_000 * ((await kim.ask((game) => game.stats.corrections)) - before)) / (Date.now() - began);
  say('corrections at 200 ms and 5 % loss', `${perMinute.toFixed(0)} a minute`);
  await kim.picture('overlay.png');
  await kim.page.getByLabel('added latency').fill('0');
  await kim.page.getByLabel('loss').fill('0');
  await kim.page.locator('#view').focus();
  await kim.page.keyboard.press('Tab');
  await kim.until('to be rid of the line', (game) => game.rttMs < 150);
  await ann.seesStanding(kim);
}

async function killed({ kim, ann }) {
  if (!CONTROL_PID) return;
  // A world is saved within 45 ticks; what happened since is lost. And a tick is told of when it is over.
  await kim.tick(60);
  const before = await kim.ask((game) => ({ me: game.me, position: game.position }));
  const servers = children(CONTROL_PID);
  assert.equal(servers.length, 1, `one game server runs: ${servers}`);
  process.kill(servers[0], 'SIGKILL');
  for (const player of [kim, ann]) {
    await player.until('to be back', (game) => game.state === 'playing' && game.reconnects === 1 && game.stats.onKnownGround === 1);
  }
  await kim.stands();
  const after = await kim.ask((game) => ({ me: game.me, position: game.position }));
  assert.equal(after.me, before.me, 'who comes back is who they were');
  assert.ok(distance(after.position, before.position) < 0.1, `and where: ${after.position}, before ${before.position}`);
  await kim.seesStanding(ann);
  const moved = await kim.sees('ann');
  await ann.hold('KeyS', 800);
  await kim.seesStanding(ann);
  assert.ok(distance(moved, await kim.sees('ann')) > 1, 'and they see each other walk again');
}

async function quiet({ kim, ann }) {
  // A socket whose server is killed is an error to the browser, and none of ours.
  const ours = [...kim.complaints, ...ann.complaints].filter((complaint) => !/WebSocket connection to|favicon/.test(complaint));
  assert.deepEqual(ours, []);
}

async function corrections(...players) {
  const stats = await Promise.all(players.map((player) => player.ask((game) => game.stats)));
  const sum = (of) => stats.reduce((all, one) => all + one[of], 0);
  return { count: sum('corrections'), late: sum('correctionsLate') };
}

const minus = (one, other) => ({ count: one.count - other.count, late: one.late - other.late });
const distance = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);

/** Processes that this one has started. */
function children(parent) {
  const stat = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch {
      return '';
    }
  };
  // After the name, which stands in brackets: the state, and the parent.
  const isChild = (pid) => stat(pid).replace(/^.*\) /s, '').split(' ')[1] === parent && stat(pid).includes('(ugc-host)');
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter(isChild).map(Number);
}

function say(what, figure) {
  console.log(`  ${what}: ${figure}`);
}

await tell(STORIES);
