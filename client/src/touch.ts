/** Fingers: the left half of the picture is a stick, the right half looks, and buttons do the rest. Only there where pointers are coarse. */

import './touch.css';
import { byId, element } from './elements';
import { STICK_RUNS_FROM, STICK_TRAVEL_PX } from './limits';
import { isCoarse, type Action, type Hands, type Stick } from './input';

/** Radians for each pixel that a finger moves: a thumb has less room than a mouse. */
const SENSITIVITY = 0.006;

export class Touch {
  private readonly stick: Stick = { right: 0, back: 0, sprint: false };
  private readonly knob = element('i');
  private readonly base = element('div', { class: 'stick', hidden: '' }, this.knob);
  /** By pointer, what the finger does, and where it was. */
  private readonly fingers = new Map<number, { does: 'walk' | 'look'; x: number; y: number }>();

  constructor(private readonly view: HTMLElement, private readonly hands: Hands, private readonly act: (action: Action) => void) {
    if (!isCoarse()) return;
    hands.sticks.push(this.stick);
    view.addEventListener('pointerdown', (event) => this.down(event));
    view.addEventListener('pointermove', (event) => this.move(event));
    for (const end of ['pointerup', 'pointercancel'] as const) view.addEventListener(end, (event) => this.up(event));
    const hold = (code: string) => (isDown: boolean) => (isDown ? hands.press(code) : hands.let(code));
    const once = (action: Action) => (isDown: boolean) => isDown && act(action);
    const buttons = element('div', { class: 'buttons' },
      button('build', once('build')), button('dig', (isDown) => this.dig(isDown)), button('jump', hold('Space')), button('fire', hold('Mouse')));
    byId('hud').append(element('div', { class: 'touch' }, this.base, button('…', once('overlay'), { class: 'more', 'aria-label': 'figures and settings' }), buttons));
  }

  /** What a finger does it does here until it is lifted: touch needs no capture for that. */
  private down(event: PointerEvent): void {
    if (event.pointerType !== 'touch') return;
    // Or it is a mouse as well, which fires and is held by the page.
    event.preventDefault();
    const { clientX: x, clientY: y } = event;
    const { left, width } = this.view.getBoundingClientRect();
    const does = x < left + width / 2 && ![...this.fingers.values()].some((finger) => finger.does === 'walk') ? 'walk' : 'look';
    this.fingers.set(event.pointerId, { does, x, y });
    if (does === 'walk') this.lean(0, 0, x - left, y);
  }

  private move(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return;
    const [x, y] = [event.clientX - finger.x, event.clientY - finger.y];
    if (finger.does === 'walk') return this.lean(x, y);
    this.hands.turn(x * SENSITIVITY, y * SENSITIVITY);
    Object.assign(finger, { x: event.clientX, y: event.clientY });
  }

  private up(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (finger?.does !== 'walk') return;
    this.lean(0, 0);
    this.base.hidden = true;
  }

  /** The stick leans so many pixels from where the finger came down; it is drawn there. */
  private lean(x: number, y: number, left?: number, top?: number): void {
    const away = Math.hypot(x, y) / STICK_TRAVEL_PX;
    const share = 1 / (STICK_TRAVEL_PX * Math.max(1, away));
    Object.assign(this.stick, { right: x * share, back: y * share, sprint: away > STICK_RUNS_FROM });
    this.knob.style.transform = `translate(${x * share * STICK_TRAVEL_PX}px, ${y * share * STICK_TRAVEL_PX}px)`;
    if (left === undefined) return;
    Object.assign(this.base.style, { left: `${left}px`, top: `${top}px` });
    this.base.hidden = false;
  }

  private dig(isDown: boolean): void {
    this.hands.digging = isDown;
    if (isDown) this.act('dig');
  }
}

function button(words: string, held: (isDown: boolean) => void, attributes: Record<string, string> = {}): HTMLElement {
  const made = element('button', { type: 'button', tabindex: '-1', ...attributes }, words);
  made.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    held(true);
  });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave'] as const) made.addEventListener(end, () => held(false));
  return made;
}
