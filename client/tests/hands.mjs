/**
 * Two who play without a keyboard, one by fingers and one by a gamepad, against a server that runs: `UGC_URL=http://127.0.0.1:5000 node tests/hands.mjs`.
 * With UGC_SCREENSHOTS pictures are put into that folder.
 */

import assert from 'node:assert/strict';
import { Player, tell } from './player.mjs';
import { ask, library, publish, URL } from './server.mjs';

const PAGE = process.env.UGC_PAGE ?? URL;
/** A phone's screen, held across. */
const PHONE = { viewport: { width: 780, height: 360 }, hasTouch: true, isMobile: true };
/** The standard mapping's buttons. */
const PAD = { jump: 0, cast: 2, next: 5, dig: 6, fire: 7 };

const STORIES = {
  'one walks and looks by touch': walkByTouch,
  'buttons jump, fire and dig': pressByTouch,
  'a tap casts': castByTouch,
  'a gamepad\'s sticks walk and look': walkByPad,
  'its buttons jump, fire, choose and cast': pressByPad,
  'nobody\'s console complained': quiet,
};

async function walkByTouch(story) {
  const kim = (story.kim = await Player.open(story.browser, `${PAGE}/`, 'thumbs', PHONE));
  await kim.play();
  await publish(await ask('POST', '/login', { username: 'author' }), 'gust', library('gust/src/lib.rs'));
  const fingers = (story.fingers = await Fingers.of(kim));
  const before = await kim.ask((game) => ({ position: game.position, yaw: game.yaw }));
  await fingers.down(1, 150, 200);
  await fingers.move(1, 150, 140);
  // Out of where nobody may dig, around the spawn.
  await kim.until('to walk', (game, [x, , z]) => Math.hypot(game.position[0] - x, game.position[2] - z) > 8, before.position);
  // Beside the stick, the other hand looks.
  await fingers.down(2, 560, 120);
  await fingers.move(2, 500, 120);
  await kim.until('to turn to the left', (game, yaw) => game.yaw > yaw + 0.2, before.yaw);
  await kim.picture('touch.png', undefined, PHONE.viewport);
  await fingers.up(2);
  await fingers.up(1);
  assert.equal(await kim.page.locator('.stick').isVisible(), false, 'the stick goes with the finger');
  await kim.stands();
}

async function pressByTouch({ kim }) {
  const held = async (name, what, holds, argument) => {
    const button = kim.page.locator('.touch').getByRole('button', { name, exact: true });
    await button.dispatchEvent('pointerdown', { pointerType: 'touch' });
    await kim.until(what, holds, argument);
    await button.dispatchEvent('pointerup', { pointerType: 'touch' });
  };
  await kim.look(0, 0.2);
  const height = (await kim.ask((game) => game.position))[1];
  await held('jump', 'to be in the air', (game, height) => game.position[1] > height + 0.3, height);
  await kim.stands();
  await held('fire', 'to see the shot', (game) => game.others.some(({ kind }) => kind === 3));
  await kim.look(0, -0.9);
  await held('dig', 'to hear the hole', (game) => game.sound.played.dig);
}

async function castByTouch({ kim }) {
  await kim.until('for the spell', (game) => game.spells.includes('gust'));
  await kim.page.locator('.spells button').tap();
  await kim.until('for the cast', (game) => game.casts.gust);
}

async function walkByPad(story) {
  const ann = (story.ann = await Player.open(story.browser, story.kim.page.url(), 'pads'));
  await ann.play();
  await ann.page.evaluate(() => {
    window.pad = { connected: true, mapping: 'standard', axes: [0, 0, 0, 0], buttons: Array.from({ length: 17 }, () => ({ pressed: false, value: 0 })) };
    navigator.getGamepads = () => [null, window.pad];
  });
  const before = await ann.ask((game) => ({ position: game.position, yaw: game.yaw }));
  await lean(ann, [0, -1, 0, 0]);
  await ann.until('to walk', (game, [x, , z]) => Math.hypot(game.position[0] - x, game.position[2] - z) > 8, before.position);
  await lean(ann, [0, 0, 1, 0]);
  await ann.until('to turn to the right', (game, yaw) => game.yaw < yaw - 0.2, before.yaw);
  // A stick that rests is never quite in the middle, and one stands all the same.
  await lean(ann, [0.1, -0.1, 0.1, 0]);
  await ann.stands();
}

async function pressByPad({ ann }) {
  await ann.look(0, 0.2);
  const height = (await ann.ask((game) => game.position))[1];
  await press(ann, PAD.jump, 'to be in the air', (game, height) => game.position[1] > height + 0.3, height);
  await ann.stands();
  await press(ann, PAD.fire, 'to see the shot', (game) => game.others.some(({ kind }) => kind === 3));
  await ann.look(0, -0.9);
  await press(ann, PAD.dig, 'to hear the hole', (game) => game.sound.played.dig);
  await press(ann, PAD.next, 'to choose the spell', () => document.querySelector('.spells [data-chosen]') !== null);
  const before = await ann.ask((game) => game.casts.gust?.tick ?? 0);
  await press(ann, PAD.cast, 'to see how far it reaches', (game) => game.preview?.spellId === 'gust');
  await ann.until('for the cast, as the button came up', (game, before) => game.casts.gust?.tick > before, before);
}

async function quiet({ kim, ann }) {
  assert.deepEqual([...kim.complaints, ...ann.complaints], []);
}

const lean = (player, axes) => player.page.evaluate((axes) => Object.assign(window.pad, { axes }), axes);

/** Holds the button until this holds. */
async function press(player, button, what, holds, argument) {
  const set = (pressed) => player.page.evaluate(([button, pressed]) => Object.assign(window.pad.buttons[button], { pressed }), [button, pressed]);
  await set(true);
  await player.until(what, holds, argument);
  await set(false);
}

/** Several at once, which the page takes for real ones. */
class Fingers {
  fingers = new Map();

  static async of(player) {
    const fingers = new Fingers();
    fingers.session = await player.context.newCDPSession(player.page);
    return fingers;
  }

  down(id, x, y) {
    this.fingers.set(id, { id, x, y });
    return this.tell('touchStart');
  }

  move(id, x, y) {
    this.fingers.set(id, { id, x, y });
    return this.tell('touchMove');
  }

  up(id) {
    this.fingers.delete(id);
    return this.tell(this.fingers.size > 0 ? 'touchMove' : 'touchEnd');
  }

  tell(type) {
    return this.session.send('Input.dispatchTouchEvent', { type, touchPoints: [...this.fingers.values()] });
  }
}

await tell(STORIES);
