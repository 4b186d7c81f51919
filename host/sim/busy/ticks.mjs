// node ticks.mjs WASM TICKS: plays the busy world in WebAssembly, and writes the parts of each tick's digest to standard output, 64 bits each, as they lie
// in memory. When it traps, what came before is written all the same.

import { readFileSync, writeSync } from "node:fs";

const [file, ticks] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(file), {});
const { memory, begin, tick, parts, panic_message, panic_bytes } = instance.exports;

const written = [];
try {
  begin();
  for (let i = 0; i < Number(ticks); i++) {
    const at = tick();
    // Copied: the memory may move when it grows.
    written.push(new Uint8Array(memory.buffer.slice(at, at + 8 * parts())));
  }
} catch (error) {
  const message = new Uint8Array(memory.buffer, panic_message(), panic_bytes());
  console.error(`in tick ${written.length}: ${error}: ${new TextDecoder().decode(message)}`);
  process.exitCode = 1;
}

let left = Buffer.concat(written);
while (left.length > 0) left = left.subarray(writeSync(1, left));
