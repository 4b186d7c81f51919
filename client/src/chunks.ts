/** The chunk cache as it is drawn: the core says which pictures are old, the nearest first, and a worker makes new ones. */

import { CHUNK_EDGE_M, MESHES_IN_WORK_MAX } from './limits';
import type { Made, Order } from './mesher';
import type { Core, StaleChunk } from './protocol';
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
  /** Those that are too far away to be seen, by key, as they are by now: at most the 700 that the core keeps, of 39 kB each. */
  private readonly far = new Map<string, StaleChunk>();
  private eye: Vec3 = [0, 0, 0];
  private viewM = Infinity;

  constructor(module: WebAssembly.Module, private readonly core: Core, private readonly wall: Wall) {
    this.order({ module }, []);
    this.worker.onmessage = ({ data }: MessageEvent<Made>) => this.take(data);
  }

  begin(): void {
    this.inWork.clear();
    this.far.clear();
  }

  /** From here one sees so far, metres: what is further has no mesh made. */
  look(eye: Vec3, viewM: number): void {
    this.eye = eye;
    this.viewM = viewM;
    this.advance();
  }

  /** Chunks without a mesh because they are too far away. */
  get unseen(): number {
    return this.far.size;
  }

  /** Hands over what is old, as far as the worker keeps up. */
  private advance(): void {
    while (this.inWork.size < MESHES_IN_WORK_MAX) {
      const stale = this.core.nextStale() ?? this.comeNear();
      if (!stale) return;
      const key = stale.id.join();
      this.far.delete(key);
      if (stale.volume && this.isFar(stale.id)) {
        this.far.set(key, stale);
        continue;
      }
      if (!stale.volume) {
        this.inWork.delete(key);
        this.wall.remove(key);
        continue;
      }
      this.inWork.set(key, { id: stale.id, again: this.inWork.has(key) });
      this.order({ key, volume: stale.volume }, [stale.volume.buffer]);
    }
  }

  private comeNear(): StaleChunk | undefined {
    return [...this.far.values()].find(({ id }) => !this.isFar(id));
  }

  /** As fog has it: whatever the height. */
  private isFar([x, , z]: Vec3): boolean {
    const beside = (chunk: number, at: number): number => Math.max(0, chunk * CHUNK_EDGE_M - at, at - (chunk + 1) * CHUNK_EDGE_M);
    return Math.hypot(beside(x, this.eye[0]), beside(z, this.eye[2])) > this.viewM;
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
