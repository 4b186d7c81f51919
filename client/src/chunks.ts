/** The chunk cache as it is drawn: the core says which pictures are old, the nearest first, and a worker makes new ones. */

import { MESHES_IN_WORK_MAX } from './limits';
import type { Made, Order } from './mesher';
import type { Core } from './protocol';
import type { Vec3 } from './vec';

/** Where meshes are put up. */
export interface Wall {
  put(key: string, id: Vec3, made: Made): void;
  remove(key: string): void;
}

export class Chunks {
  /** Meshes so far, and the time that they took in the worker. */
  made = 0;
  tookMs = 0;
  private readonly worker = new Worker(new URL('./mesher.ts', import.meta.url), { type: 'module' });
  /** By key, the chunk's place; one that is in work again when it comes back is older than its successor. */
  private readonly inWork = new Map<string, { id: Vec3; again: boolean }>();

  constructor(module: WebAssembly.Module, private readonly core: Core, private readonly wall: Wall) {
    this.order({ module }, []);
    this.worker.onmessage = ({ data }: MessageEvent<Made>) => this.take(data);
  }

  begin(): void {
    this.inWork.clear();
  }

  /** Hands over what is old, as far as the worker keeps up. */
  advance(): void {
    while (this.inWork.size < MESHES_IN_WORK_MAX) {
      const stale = this.core.nextStale();
      if (!stale) return;
      const key = stale.id.join();
      if (!stale.volume) {
        this.inWork.delete(key);
        this.wall.remove(key);
        continue;
      }
      this.inWork.set(key, { id: stale.id, again: this.inWork.has(key) });
      this.order({ key, volume: stale.volume }, [stale.volume.buffer]);
    }
  }

  private take(made: Made): void {
    this.made += 1;
    this.tookMs += made.tookMs;
    const work = this.inWork.get(made.key);
    // Gone meanwhile, or of the connection before.
    if (!work) return;
    if (work.again) work.again = false;
    else this.inWork.delete(made.key);
    this.wall.put(made.key, work.id, made);
    this.advance();
  }

  private order(order: Order, transfer: Transferable[]): void {
    this.worker.postMessage(order, transfer);
  }
}
