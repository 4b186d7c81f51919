/** Damage, as numbers that rise from where somebody was hit. */

import { Group } from 'three';
import type { Hit } from './stage';
import { Sign } from './sign';

const RISES_SECONDS = 0.9;
const RISES_M = 1.2;
const SIZE = { width: 128, height: 64 };
/** Numbers at once; the oldest give way. */
const NUMBERS_MAX = 32;

export class Numbers {
  readonly group = new Group();
  private rising: { sign: Sign; from: number; age: number }[] = [];

  rise({ at, amount, mine }: Hit): void {
    const sign = new Sign(SIZE, mine ? 1.1 : 0.8);
    sign.paint((context) => {
      context.font = '700 46px system-ui, "DejaVu Sans", sans-serif';
      sign.words(String(Math.round(amount)), 48, mine ? '#ffb45e' : '#ffe3d4');
    });
    const from = at[1] + 0.9;
    sign.sprite.position.set(at[0], from, at[2]);
    // It says what happened, whatever stands before it.
    sign.sprite.material.depthTest = false;
    this.group.add(sign.sprite);
    this.rising.push({ sign, from, age: 0 });
    if (this.rising.length > NUMBERS_MAX) this.end(this.rising.shift());
  }

  advance(seconds: number): void {
    for (const number of this.rising) {
      number.age += seconds / RISES_SECONDS;
      number.sign.sprite.position.y = number.from + RISES_M * number.age;
      number.sign.sprite.material.opacity = Math.max(0, 1 - number.age ** 2);
    }
    this.rising.filter(({ age }) => age >= 1).forEach((number) => this.end(number));
    this.rising = this.rising.filter(({ age }) => age < 1);
  }

  private end(number: { sign: Sign } | undefined): void {
    if (!number) return;
    this.group.remove(number.sign.sprite);
    number.sign.dispose();
  }
}
