/** What the player's hands do, and the sixty ticks a second in which the core takes it: numbers it, predicts it, keeps it until it is acknowledged. */

import { CATCH_UP_TICKS_MAX, STEP_INTERVAL_MS, TICK_MS } from './limits';
import type { Controls, Core } from './protocol';
import type { Vec3 } from './vec';

/** Radians for each pixel that the mouse moves. */
const SENSITIVITY = 0.0024;
/** Looking straight up, one would not know what is ahead. */
const PITCH_MAX = 1.55;

/** What a key or button is for besides moving. */
export type Action = 'dig' | 'build' | 'overlay' | 'mute' | 'cancel' | { press: number } | { release: number };

/** What leans, on a screen or a gamepad: each -1 to 1. */
export interface Stick {
  right: number;
  back: number;
  sprint: boolean;
}

/** Keyboard and mouse; sticks that others push are added. */
export class Hands {
  yaw = 0;
  pitch = 0;
  /** Actions whose key or button is down. */
  digging = false;
  readonly sticks: Stick[] = [];
  private readonly down = new Set<string>();
  /** Presses since the last tick: one that is shorter than a tick is a press all the same. */
  private readonly pressed = new Set<string>();

  constructor(private readonly view: HTMLElement, act: (action: Action) => void) {
    addEventListener('keydown', (event) => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
      if (event.code === 'Tab') {
        event.preventDefault();
        act('overlay');
      }
      if (event.code === 'Space') event.preventDefault();
      if (event.repeat) return;
      this.press(event.code);
      if (event.code === 'KeyR') act('build');
      if (event.code === 'KeyM') act('mute');
      if (event.code === 'Escape') act('cancel');
      const slot = slotOf(event.code);
      if (slot !== null) act({ press: slot });
    });
    addEventListener('keyup', (event) => {
      this.let(event.code);
      const slot = slotOf(event.code);
      if (slot !== null) act({ release: slot });
    });
    addEventListener('blur', () => {
      this.release();
      act('cancel');
    });
    // While the mouse is held, Escape is the browser's: it lets go of the mouse, and tells nobody the key.
    document.addEventListener('pointerlockchange', () => {
      if (!this.holdsPointer()) act('cancel');
    });
    view.addEventListener('contextmenu', (event) => event.preventDefault());
    view.addEventListener('mousedown', (event) => {
      if (!this.holdsPointer()) this.takePointer();
      if (event.button === 0) this.press('Mouse');
      if (event.button === 2) {
        this.digging = true;
        act('dig');
      }
    });
    addEventListener('mouseup', (event) => {
      if (event.button === 0) this.let('Mouse');
      if (event.button === 2) this.digging = false;
    });
    addEventListener('mousemove', (event) => {
      if (this.holdsPointer()) this.turn(event.movementX * SENSITIVITY, event.movementY * SENSITIVITY);
    });
  }

  /** From a click on, the mouse turns the head. A browser that refuses is one in which the keyboard still walks. */
  takePointer(): void {
    this.view.focus();
    // A finger points where it is, and would be held where the mouse is not.
    if (isCoarse()) return;
    void Promise.resolve(this.view.requestPointerLock()).catch(() => undefined);
  }

  holdsPointer(): boolean {
    return document.pointerLockElement === this.view;
  }

  /** A unit vector. */
  aim(): Vec3 {
    const flat = Math.cos(this.pitch);
    return [-Math.sin(this.yaw) * flat, Math.sin(this.pitch), -Math.cos(this.yaw) * flat];
  }

  /** The controls of the tick that begins. */
  controls(): Controls {
    const is = (code: string): number => (this.down.has(code) || this.pressed.has(code) ? 1 : 0);
    const lean = (keys: number, of: 'right' | 'back'): number => Math.max(-1, Math.min(1, this.sticks.reduce((all, stick) => all + stick[of], keys)));
    const right = lean(Math.max(is('KeyD'), is('ArrowRight')) - Math.max(is('KeyA'), is('ArrowLeft')), 'right');
    const back = lean(Math.max(is('KeyS'), is('ArrowDown')) - Math.max(is('KeyW'), is('ArrowUp')), 'back');
    const sprint = is('ShiftLeft') + is('ShiftRight') > 0 || this.sticks.some((stick) => stick.sprint);
    const controls = { right, back, aim: this.aim(), sprint, fire: is('Mouse') > 0, jump: is('Space') > 0 };
    this.pressed.clear();
    return controls;
  }

  /** A key goes down, or what stands for it. */
  press(code: string): void {
    this.down.add(code);
    this.pressed.add(code);
  }

  /** And up. */
  let(code: string): void {
    this.down.delete(code);
  }

  /** Radians to the right, and down. */
  turn(right: number, down: number): void {
    this.yaw -= right;
    this.pitch = Math.max(-PITCH_MAX, Math.min(PITCH_MAX, this.pitch - down));
  }

  private release(): void {
    this.down.clear();
    this.digging = false;
  }
}

/** Fingers, not a mouse. */
export function isCoarse(): boolean {
  return matchMedia('(pointer: coarse)').matches;
}

/** 1 to 9 are spells. */
function slotOf(code: string): number | null {
  const digit = /^Digit([1-9])$/.exec(code)?.[1];
  return digit ? Number(digit) - 1 : null;
}

/** Ticks at a fixed rate, by the clock and never by the picture. */
export class Stepper {
  private dueMs = performance.now();

  constructor(private readonly core: Core, private readonly hands: Hands, private readonly send: (frame: Uint8Array) => void) {
    setInterval(() => this.advance(), STEP_INTERVAL_MS);
  }

  /** Makes the ticks that are due. After a stall only the newest few: the server has gone on without the others. */
  advance(): void {
    const due = Math.floor((performance.now() - this.dueMs) / TICK_MS);
    const slept = Math.max(0, due - CATCH_UP_TICKS_MAX);
    if (slept > 0) this.core.skip(slept);
    this.dueMs += due * TICK_MS;
    for (let tick = slept; tick < due; tick++) {
      const frame = this.core.step(this.hands.controls(), performance.now());
      if (frame) this.send(frame);
    }
    if (due > 0) for (let frame = this.core.outgoing(); frame; frame = this.core.outgoing()) this.send(frame);
  }

  /** How much of the tick has passed that comes next: what is drawn is so far on its way. */
  share(): number {
    return Math.min(1, (performance.now() - this.dueMs) / TICK_MS);
  }
}
