/** Gamepads of the standard mapping: sticks walk and look, A jumps, B runs, RT fires, LT digs, Y builds, the shoulders choose a spell and X casts it. */

import type { Action, Hands, Stick } from './input';

/** Sticks that rest are not quite in the middle. */
const DEAD = 0.15;
/** Radians a second of a stick that leans all the way. */
const TURNS = 2.6;
/** Buttons by the standard mapping. */
const BUTTON = { jump: 0, run: 1, cast: 2, build: 3, back: 4, on: 5, dig: 6, fire: 7 };

export class Gamepads {
  private readonly stick: Stick = { right: 0, back: 0, sprint: false };
  private readonly down = new Set<number>();
  private slot = 0;
  private polledMs = performance.now();

  /** `slots` says how many spells there are to choose from. */
  constructor(private readonly hands: Hands, private readonly act: (action: Action) => void, private readonly spells: { slots(): number; choose(slot: number): void }) {
    hands.sticks.push(this.stick);
  }

  /** To be asked in each picture: pads do not tell by themselves. */
  poll(): void {
    const now = performance.now();
    const seconds = Math.min(0.1, (now - this.polledMs) / 1000);
    this.polledMs = now;
    const pad = navigator.getGamepads().find((one) => one?.connected && one.mapping === 'standard');
    const axis = (index: number): number => beyondRest(pad?.axes[index] ?? 0);
    Object.assign(this.stick, { right: axis(0), back: axis(1), sprint: pad?.buttons[BUTTON.run]?.pressed ?? false });
    if (axis(2) !== 0 || axis(3) !== 0) this.hands.turn(axis(2) * TURNS * seconds, axis(3) * TURNS * seconds);
    for (const button of Object.values(BUTTON)) this.hold(button, pad?.buttons[button]?.pressed ?? false);
  }

  private hold(button: number, isDown: boolean): void {
    if (this.down.has(button) === isDown) return;
    if (isDown) this.down.add(button);
    else this.down.delete(button);
    switch (button) {
      case BUTTON.jump:
        return isDown ? this.hands.press('Space') : this.hands.let('Space');
      case BUTTON.fire:
        return isDown ? this.hands.press('Mouse') : this.hands.let('Mouse');
      case BUTTON.dig:
        this.hands.digging = isDown;
        return isDown ? this.act('dig') : undefined;
      case BUTTON.build:
        return isDown ? this.act('build') : undefined;
      case BUTTON.cast:
        return this.act(isDown ? { press: this.slot } : { release: this.slot });
      case BUTTON.back:
      case BUTTON.on:
        if (isDown) this.choose(button === BUTTON.on ? 1 : -1);
    }
  }

  private choose(step: number): void {
    const count = this.spells.slots();
    if (count === 0) return;
    this.slot = (this.slot + step + count) % count;
    this.spells.choose(this.slot);
  }
}

function beyondRest(value: number): number {
  return Math.abs(value) < DEAD ? 0 : (value - Math.sign(value) * DEAD) / (1 - DEAD);
}
