/** The page's side of the picture: says what is to be drawn, to a worker that draws as fast as the machine can. Nothing here waits for it. */

import type { Wall } from './chunks';
import type { Other } from './interpolation';
import type { Made } from './mesher';
import type { Vec3 } from './vec';

/** One moment. */
export interface Frame {
  /** The player's, whose eye is above. */
  position: Vec3;
  yaw: number;
  pitch: number;
  others: Other[];
  /** What the player aims at. */
  aim: Vec3 | null;
  /** How far one sees, metres. */
  viewM: number;
  /** Of the spell that is about to be cast. */
  reach: Reach | null;
  /** The canvas on the page, in its pixels, and how many of the screen's one of those has. */
  width: number;
  height: number;
  pixelRatio: number;
  /** All of the screen's pixels, however long it takes: for pictures that are to be looked at. */
  sharp: boolean;
}

/** How far a spell reaches from its caster, metres, and whether what is aimed at is nearer. */
export interface Reach {
  radius: number;
  within: boolean;
}

/** Sparks. */
export interface Burst {
  at: Vec3;
  count: number;
  /** As in 0xrrggbb. */
  color: number;
  /** Metres a second, at most. */
  speed: number;
  /** How long the last of them glows. */
  seconds: number;
  /** Metres. */
  size: number;
  /** Metres a second squared, downward. */
  gravity: number;
  /** The picture that they look like, by its key; without one they glow. */
  sprite?: string;
}

/** Somebody took damage. */
export interface Hit {
  at: Vec3;
  amount: number;
  /** The player's own doing. */
  mine: boolean;
}

/** To the worker. */
export type Word =
  | { say: 'open'; canvas: OffscreenCanvas }
  | { say: 'begin' }
  | { say: 'put'; key: string; id: Vec3; made: Made }
  | { say: 'remove'; key: string }
  | { say: 'burst'; burst: Burst }
  | { say: 'sprite'; key: string; image: ImageBitmap | null }
  | { say: 'hit'; hit: Hit }
  | { say: 'draw'; frame: Frame };

export class Stage implements Wall {
  sharp = false;
  private readonly worker = new Worker(new URL('./painter.ts', import.meta.url), { type: 'module' });
  private readonly shown = new Set<string>();

  constructor(private readonly view: HTMLCanvasElement) {
    const canvas = view.transferControlToOffscreen();
    this.tell({ say: 'open', canvas }, [canvas]);
  }

  begin(): void {
    this.shown.clear();
    this.tell({ say: 'begin' });
  }

  put(key: string, id: Vec3, made: Made): void {
    this.shown.add(key);
    this.tell({ say: 'put', key, id, made }, [made.opaque.buffer, made.clear.buffer]);
  }

  remove(key: string): void {
    this.shown.delete(key);
    this.tell({ say: 'remove', key });
  }

  burst(burst: Burst): void {
    this.tell({ say: 'burst', burst });
  }

  /** What bursts of this key look like from now on; null forgets it. */
  sprite(key: string, image: ImageBitmap | null): void {
    this.tell({ say: 'sprite', key, image }, image ? [image] : []);
  }

  hit(hit: Hit): void {
    this.tell({ say: 'hit', hit });
  }

  draw(moment: Pick<Frame, 'position' | 'yaw' | 'pitch' | 'others' | 'aim' | 'reach' | 'viewM'>): void {
    const { clientWidth: width, clientHeight: height } = this.view;
    this.tell({ say: 'draw', frame: { ...moment, width, height, pixelRatio: devicePixelRatio, sharp: this.sharp } });
  }

  /** Chunks that have a mesh. */
  get meshes(): number {
    return this.shown.size;
  }

  private tell(word: Word, transfer: Transferable[] = []): void {
    this.worker.postMessage(word, transfer);
  }
}
