/**
 * An operator's first minutes: logs in, sees which spell and which player cost most, reads the world's log, saves the world, has the spell put into quarantine, lifts
 * that, rolls it back, sends the player away.
 * Against a server that runs: `UGC_URL=http://127.0.0.1:5000 ADMIN_TOKEN=... node tests/operator.mjs`; with UGC_SCREENSHOTS a picture is put into that folder.
 */

import assert from 'node:assert/strict';
import { openBrowser, TIMEOUT_MS } from './player.mjs';

const URL = process.env.UGC_URL ?? 'http://127.0.0.1:5000';
const TOKEN = process.env.ADMIN_TOKEN;
const WINDOW = { width: 1180, height: 1180 };
/** Spends fuel in every tick. */
const costly = (turns) => `use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::timed(60.0).ticks(10.0),
    pub struct Mill { turned: u32 }
}

impl Spell for Mill {
    fn on_cast(&mut self, world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        info!(world, "the mill turns");
        Ok(())
    }

    fn on_tick(&mut self, _world: &mut World, _dt: f32) -> Result<(), Refusal> {
        for turn in 0..${turns}u32 {
            self.turned = self.turned.wrapping_mul(1_664_525).wrapping_add(turn);
        }
        Ok(())
    }
}
`;
/** A client's first words, and a wish to cast, as JSON. */
const handshake = ({ session_token, client_id }) => ({ type: 1, protocol_version: 1, session_token, client_id, timestamp: 0 });
const wish = (spell) => ({ type: 7, spell_id: spell, revision_id: '', target_position: [0, 1, -5], target_entity_id: 0, extra_params: {} });

const author = await ask('POST', '/login', { username: 'miller' });
const place = await ask('POST', '/join', {}, author);
const before = await publish('mill', costly(10_000));
const revision = await publish('mill', costly(20_000));
const browser = await openBrowser();
try {
  const miller = await play(browser, place, 'mill');
  const page = await (await browser.newContext({ viewport: WINDOW })).newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));

  console.log('a wrong token is refused in words');
  await page.goto(`${URL}/admin`);
  await enter(page, 'not the token');
  await page.locator('#state', { hasText: 'admin token' }).waitFor();
  assert.equal(complaints.filter((complaint) => !complaint.includes('403')).length, 0, `${complaints}`);
  complaints.length = 0;

  console.log('the token opens the page: ticks, stages, and the costliest spell');
  await enter(page, TOKEN);
  const spell = page.locator('section', { hasText: 'The costliest spells' }).locator('tbody tr', { hasText: revision });
  await spell.locator('td:nth-child(3)', { hasText: /[1-9]/ }).waitFor();
  const stages = page.locator('section', { hasText: 'Where a tick goes' }).locator('tbody tr');
  assert.ok((await stages.count()) >= 10, 'each stage of the tick is there');
  await page.locator('.share', { hasText: '%' }).first().waitFor();
  await page.locator('section', { hasText: 'Logged in' }).locator('tr', { hasText: 'miller' }).waitFor();

  console.log('the costliest player has a name, and what can be done about them');
  const player = page.locator('section', { hasText: 'The costliest players' }).locator('tbody tr', { hasText: author.client_id });
  await player.locator('td:nth-child(3)', { hasText: /[1-9]/ }).waitFor();
  assert.equal(await player.locator('td:first-child').textContent(), 'miller');
  for (const name of ['Kick', 'Throttle', 'Ban']) await player.getByRole('button', { name }).waitFor();

  console.log('what the world said is read');
  const said = page.locator('section', { hasText: 'What it reported' }).locator('tbody tr', { hasText: 'info: the mill turns' }).first();
  await said.waitFor();
  assert.match(await said.textContent(), new RegExp(revision));
  await page.locator('.log pre', { hasText: `revision active spell=mill revision=${revision}` }).waitFor();
  if (process.env.UGC_SCREENSHOTS) {
    // A chart of some length.
    await page.waitForTimeout(6_000);
    await page.screenshot({ path: `${process.env.UGC_SCREENSHOTS}/operator.png` });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.waitForTimeout(1_500);
    await page.screenshot({ path: `${process.env.UGC_SCREENSHOTS}/operator-dark.png` });
    await page.emulateMedia({ colorScheme: 'light' });
  }

  console.log('the world is saved, and goes on');
  await page.getByRole('button', { name: 'Save now' }).click();
  const done = (what) => page.locator('section', { hasText: 'What operators did' }).locator('tr', { hasText: what });
  await done('save server').waitFor();
  assert.ok((await ticks(page)) > 0);
  await page.locator('dd', { hasText: /^ready$/ }).waitFor();

  console.log('it is put into quarantine: the world does not run it any more');
  const ended = await miller.listen(122);
  await spell.getByRole('button', { name: 'Quarantine' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Quarantine' }).click();
  const quarantined = page.locator('section', { hasText: 'In quarantine here' }).locator('tbody tr', { hasText: revision });
  await quarantined.waitFor();
  await ended();

  console.log('and lifted');
  const back = await miller.listen(122);
  await quarantined.getByRole('button', { name: 'Lift' }).click();
  await quarantined.waitFor({ state: 'detached' });
  await back();

  console.log('a revision is rolled back: the one before it runs again');
  await spell.getByRole('button', { name: 'Roll back' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Roll back' }).click();
  await done('rollback').waitFor();
  await miller.runs(before);

  console.log('a player is sent away, and it is written down');
  await page.locator('section', { hasText: 'Logged in' }).locator('tr', { hasText: 'miller' }).getByRole('button', { name: 'Kick' }).click();
  await miller.isClosed();
  await done('end sessions').waitFor();
  assert.deepEqual(complaints, []);
  console.log('all of it happened');
} finally {
  await browser.close();
}

async function enter(page, token) {
  await page.locator('#token input').fill(token);
  await page.locator('#token button.main').click();
}

/** How often the world has ticked, as the page has it. */
async function ticks(page) {
  const text = await page.locator('dt', { hasText: /^ticks$/ }).locator('xpath=following-sibling::dd[1]').textContent();
  return Number(text.replaceAll(/\D/g, ''));
}

/** A player whose page is nothing but a socket, and who wishes for the spell again and again. */
async function play(browser, place, spell) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  // The small page may connect to game servers.
  await page.goto(`${URL}/minimal.html`);
  await page.evaluate(([address, first, wish]) => {
    const socket = new WebSocket(address, 'ugc.v1.json');
    window.heard = [];
    socket.onopen = () => socket.send(first);
    socket.onmessage = ({ data }) => window.heard.push(JSON.parse(data));
    const wishing = setInterval(() => socket.send(wish), 500);
    socket.onclose = () => {
      clearInterval(wishing);
      window.isClosed = true;
    };
  }, [place.server_address, JSON.stringify(handshake(place)), JSON.stringify(wish(spell))]);
  return {
    /** Listens from now on; the answer waits for a message of this type about the spell. */
    async listen(type) {
      await page.evaluate(() => (window.heard = []));
      return () => page.waitForFunction(([type, spell]) => window.heard.some((it) => it.type === type && it.spell_id === spell), [type, spell]);
    },
    /** Waits until new casts run this revision. */
    runs: (revision) => page.waitForFunction(([spell, revision]) => {
      const last = window.heard.filter((it) => it.type === 122 && it.spell_id === spell).at(-1);
      return last?.revision_id === revision;
    }, [spell, revision]),
    isClosed: () => page.waitForFunction(() => window.isClosed),
  };
}

async function publish(spell, code) {
  let job = await ask('POST', `/api/spells/${spell}/build`, { code }, author);
  while (job.status !== 'completed') {
    assert.notEqual(job.status, 'failed', JSON.stringify(job));
    job = await ask('GET', `/api/jobs/${job.job_id}?wait_ms=500`, undefined, author);
  }
  await ask('POST', `/api/spells/${spell}/publish`, { revision_id: job.result_revision_id, channel: 'stable' }, author);
  return job.result_revision_id;
}

async function ask(method, path, body, player) {
  const headers = { 'Content-Type': 'application/json', ...(player && { Authorization: `Bearer ${player.session_token}` }) };
  const reply = await fetch(URL + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${await reply.clone().text()}`);
  return reply.json();
}
