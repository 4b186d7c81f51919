/** The worker that makes meshes, with an instance of the core of its own. */

import { Core } from './protocol';

/** To the worker: the module once, then volumes. */
export type Order = { module: WebAssembly.Module } | { key: string; volume: Uint8Array };
/** And back: quads, and how long they took. */
export interface Made {
  key: string;
  opaque: Uint8Array;
  clear: Uint8Array;
  tookMs: number;
}

let core: Promise<Core> | undefined;

self.onmessage = async ({ data }: MessageEvent<Order>) => {
  if ('module' in data) {
    core = Core.load(data.module);
    return;
  }
  const ready = await core;
  if (!ready) throw new Error('a volume came before the module');
  const began = performance.now();
  const { opaque, clear } = ready.mesh(data.volume);
  const made: Made = { key: data.key, opaque, clear, tookMs: performance.now() - began };
  self.postMessage(made, { transfer: [opaque.buffer, clear.buffer] });
};
