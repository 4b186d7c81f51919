/** Browsers, each with a player in a world, and all that went wrong in their consoles. */

import { chromium } from 'playwright-core';

const SIZE = { width: 1280, height: 760 };
const ARGUMENTS = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const IN_THE_WORLD_MS = 60_000;

export async function openBrowser({ size = SIZE, scale = 1, scheme = 'dark' } = {}) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });
  const player = async (url, name, world) => {
    const context = await browser.newContext({ viewport: size, deviceScaleFactor: scale, colorScheme: scheme });
    const page = await context.newPage();
    const problems = [];
    page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(`${url}/?world=${world}`);
    await page.locator('#name').fill(name);
    await page.locator('#menu form button').click();
    await until(page, () => window.__game?.state === 'playing' && window.__game.stats.onKnownGround === 1, IN_THE_WORLD_MS);
    return { page, problems };
  };
  return { player, close: () => browser.close() };
}

/** Waits for what is said of the page to be true. */
export async function until(page, is, timeout = 10_000, argument = undefined) {
  // By the clock: software rendering has few frames to wait for.
  await page.waitForFunction(is, argument, { timeout, polling: 50 });
}
