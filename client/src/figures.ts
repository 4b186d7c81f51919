/** How entities look: players and NPCs with what they are above their heads, projectiles, props. */

import {
  BoxGeometry, CapsuleGeometry, CircleGeometry, Color, Group, Mesh, MeshBasicMaterial, MeshLambertMaterial, Object3D, SphereGeometry,
  type Vector3,
} from 'three';
import type { Other } from './interpolation';
import { Kind } from './protocol';
import { Sign } from './sign';

/** A label's picture, pixels. */
const LABEL = { width: 256, height: 80 };
/** Above a character's middle, metres. */
const LABEL_HEIGHT_M = 1.45;

/** A character's body: a capsule, upright. */
const BODY = { radiusM: 0.4, axisM: 1.0 };

const capsule = new CapsuleGeometry(BODY.radiusM, BODY.axisM, 6, 14);
const head = new BoxGeometry(0.52, 0.2, 0.24);
const eye = new BoxGeometry(0.1, 0.1, 0.06);
const crate = new BoxGeometry(1, 1, 1);
const plank = new BoxGeometry(1.04, 0.14, 1.04);
const ball = new SphereGeometry(0.16, 12, 8);
const body = new SphereGeometry(0.5, 16, 10);

const shadow = new CircleGeometry(0.5, 20).rotateX(-Math.PI / 2);

const shade = new MeshBasicMaterial({ color: 0x000000, transparent: true, opacity: 0.3, depthWrite: false });
const dark = new MeshLambertMaterial({ color: 0x12151d });
const white = new MeshBasicMaterial({ color: 0xffffff });
const wood = new MeshLambertMaterial({ color: 0x9a6b3c });
const paleWood = new MeshLambertMaterial({ color: 0xb98a57 });
const fire = new MeshBasicMaterial({ color: 0xffb45e });
const stone = new MeshLambertMaterial({ color: 0x8a93a6 });

/** One entity on the screen. */
export class Figure {
  readonly object: Object3D;
  private readonly label: Label | null;

  constructor(other: Other) {
    this.object = model(other);
    this.label = other.kind === Kind.Player || other.kind === Kind.Npc ? new Label() : null;
    if (this.label) this.object.add(this.label.sign.sprite);
  }

  show(other: Other): void {
    this.object.position.set(...other.position);
    this.object.quaternion.set(...other.rotation);
    this.label?.show(other);
  }

  dispose(): void {
    this.label?.sign.dispose();
  }
}

/** From the surface of a character in the one place to the other, metres; below 0 inside. */
export function fromCharacter(middle: Vector3, place: Vector3): number {
  const above = Math.max(0, Math.abs(place.y - middle.y) - BODY.axisM / 2);
  return Math.hypot(place.x - middle.x, above, place.z - middle.z) - BODY.radiusM;
}

function model(other: Other): Object3D {
  switch (other.kind) {
    case Kind.Player:
      return character(new Color().setHSL(hue(other.id), 0.55, 0.55), false);
    case Kind.Npc:
      return character(new Color(0xd9853b), true);
    case Kind.Projectile:
      return new Mesh(ball, fire);
    default:
      return other.name === 'crate' ? box() : new Mesh(body, stone);
  }
}

function character(color: Color, hasEyes: boolean): Group {
  const group = new Group();
  group.add(new Mesh(capsule, new MeshLambertMaterial({ color })));
  const below = new Mesh(shadow, shade);
  below.position.y = -0.88;
  group.add(below);
  const visor = new Mesh(head, dark);
  visor.position.set(0, 0.55, -0.3);
  group.add(visor);
  for (const side of hasEyes ? [-1, 1] : []) {
    const one = new Mesh(eye, white);
    one.position.set(side * 0.13, 0.55, -0.42);
    group.add(one);
  }
  return group;
}

function box(): Group {
  const group = new Group();
  group.add(new Mesh(crate, wood));
  for (const y of [-0.43, 0.43]) {
    const rim = new Mesh(plank, paleWood);
    rim.position.y = y;
    group.add(rim);
  }
  return group;
}

/** The same player has the same color on every screen. */
function hue(id: number): number {
  return (id * 0.61803398875) % 1;
}

/** Name, health, and what an NPC makes of anybody. Painted again only when that changes. */
class Label {
  readonly sign = new Sign(LABEL, 2);
  private painted = '';

  constructor() {
    this.sign.sprite.position.y = LABEL_HEIGHT_M;
  }

  show({ name, health, healthMax, detection, kind }: Other): void {
    const wanted = [name, health, healthMax, detection].join('\n');
    if (wanted === this.painted) return;
    this.painted = wanted;
    const mark = kind === Kind.Npc ? (['', '?', '!'][detection] ?? '') : '';
    this.sign.paint((context) => {
      context.font = '600 30px system-ui, "DejaVu Sans", sans-serif';
      this.sign.words(mark ? `${mark} ${name}` : name, 34, mark === '!' ? '#ff7b6b' : mark ? '#ffd166' : '#ffffff');
      if (healthMax > 0) bar(context, health / healthMax);
    });
  }
}

function bar(context: OffscreenCanvasRenderingContext2D, share: number): void {
  const [x, y, width, height] = [58, 50, 140, 14];
  context.fillStyle = '#0009';
  context.fillRect(x - 3, y - 3, width + 6, height + 6);
  context.fillStyle = share > 0.35 ? '#5fd38d' : '#ff6b6b';
  context.fillRect(x, y, width * Math.max(0, Math.min(1, share)), height);
}
