/** A player with a browser of their own: what tests press, and what they ask. */

import { chromium } from 'playwright-core';

/** What the browser needs to run as anybody, without a screen and without calling home. */
const ARGUMENTS = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const EXECUTABLE = process.env.UGC_CHROMIUM ?? '/usr/bin/chromium';
/** A machine without a graphics card draws slowly, more so the more pixels there are. */
const WINDOW = { width: 640, height: 400 };
const PICTURE = { width: 1120, height: 700 };
/** What is waited for takes milliseconds; this is for a machine that is busy. */
export const TIMEOUT_MS = 30_000;
const POLL_MS = 40;

export async function openBrowser() {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
}

/** Plays what happens under each name, one after the other, and says so; they share the browser, and whatever they put beside it. */
export async function tell(stories) {
  const story = { browser: await openBrowser() };
  try {
    for (const [name, happens] of Object.entries(stories)) {
      console.log(name);
      await happens(story);
    }
    console.log('all of it happened');
  } finally {
    await story.browser.close();
  }
}

export class Player {
  /** What the console complained of. */
  complaints = [];

  /** `options` are those of the browser's context: what kind of machine it is. */
  static async open(browser, url, name, options = {}) {
    const player = new Player();
    player.window = options.viewport ?? WINDOW;
    player.context = await browser.newContext({ viewport: WINDOW, ...options });
    player.page = await player.context.newPage();
    player.page.setDefaultTimeout(TIMEOUT_MS);
    player.page.on('pageerror', (error) => player.complaints.push(String(error.stack ?? error)));
    player.page.on('console', (message) => {
      if (message.type() === 'error') player.complaints.push(`${message.text()} (${message.location().url})`);
    });
    player.name = name;
    player.openedMs = Date.now();
    await player.page.goto(url);
    await player.page.fill('#name', name);
    return player;
  }

  /** Clicks Play, and answers how long it took from opening the page to standing in the world. */
  async play() {
    await this.page.click('#menu button.main');
    await this.until('to stand in the world', (game) => game.state === 'playing' && game.stats.onKnownGround === 1 && game.meshes.shown > 0);
    return Date.now() - this.openedMs;
  }

  /** Answers what this says of the game; it runs in the page, and gets nothing but the argument. */
  ask(question, argument) {
    return this.page.evaluate(`(${question})(window.__game, ${JSON.stringify(argument ?? null)})`);
  }

  /** Waits until this holds in the page. Asked from here: the page's policy forbids a script that waits there to evaluate text. */
  async until(what, holds, argument) {
    const deadline = Date.now() + TIMEOUT_MS;
    while (!(await this.ask(holds, argument))) {
      if (Date.now() > deadline) throw new Error(`${this.name} has waited in vain ${what}`);
      await this.page.waitForTimeout(POLL_MS);
    }
  }

  /** Waits until the server has gone on so far, and told of it. */
  async tick(count) {
    const from = await this.ask((game) => game.stats.tick);
    await this.until(`for ${count} ticks`, (game, tick) => game.stats.tick >= tick, from + count);
  }

  /** Waits until they stand still on something. */
  async stands() {
    await this.until('to stand still', ({ own }) => own.grounded && Math.hypot(...own.velocity) < 0.05);
  }

  /** Waits until this one sees the other where they stand. */
  async seesStanding(other) {
    await other.stands();
    const place = await other.ask((game) => game.position);
    const isThere = (game, [name, [x, y, z]]) => {
      const at = game.others.find((one) => one.name === name)?.position;
      return at !== undefined && Math.hypot(at[0] - x, at[1] - y, at[2] - z) < 0.1;
    };
    await this.until(`to see ${other.name} at ${place}`, isThere, [other.name, place]);
  }

  /** Waits until nothing is left that holds a machine up at first, shaders and meshes: for half a second no mesh is made, and nothing is corrected. */
  async settles() {
    const deadline = Date.now() + TIMEOUT_MS;
    const state = () => this.ask((game) => [game.meshes.made, game.stats.corrections].join());
    for (let before = ''; before !== (before = await state()); await this.tick(30)) {
      if (Date.now() > deadline) throw new Error(`${this.name} has waited in vain for a quiet moment`);
    }
  }

  look(yaw, pitch) {
    return this.ask((game, [yaw, pitch]) => game.look(yaw, pitch), [yaw, pitch]);
  }

  /** Turns to a place. */
  async face(place) {
    const [x, y, z] = await this.ask((game) => game.position);
    const way = [place[0] - x, place[1] - (y + 0.7), place[2] - z];
    await this.look(Math.atan2(-way[0], -way[2]), Math.atan2(way[1], Math.hypot(way[0], way[2])));
  }

  async hold(key, ms) {
    await this.page.keyboard.down(key);
    await this.page.waitForTimeout(ms);
    await this.page.keyboard.up(key);
  }

  /** Where another one is drawn; nothing for who is not in view. */
  sees(name) {
    return this.ask((game, name) => game.others.find((other) => other.name === name)?.position, name);
  }

  /** A picture of the page, if pictures are wanted. */
  async picture(file, shown = async () => undefined, size = PICTURE) {
    const folder = process.env.UGC_SCREENSHOTS;
    if (!folder) return;
    await this.page.setViewportSize(size);
    await this.page.evaluate('window.__game?.sharp(true)');
    await shown();
    await this.page.waitForTimeout(1_500);
    await this.page.screenshot({ path: `${folder}/${file}` });
    await this.page.evaluate('window.__game?.sharp(false)');
    await this.page.setViewportSize(this.window);
  }
}
