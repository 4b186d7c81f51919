/** Writes the sounds of the library's spells, as small as a wav can be: `node sounds.mjs`. The same bytes each time. */

import { writeFileSync } from 'node:fs';

const RATE_HZ = 11_025;
const HEAD_BYTES = 44;

/** A whoosh: noise that opens up and dies away. */
const launch = sound(0.28, (t, noise) => noise(400 + 2600 * t) * Math.sin(Math.PI * Math.min(1, 3.2 * t)) * (1 - t / 0.28));
/** A thump below a crackle. */
const burst = sound(0.6, (t, noise) => {
  const fades = Math.exp(-7 * t);
  return 0.75 * Math.sin(2 * Math.PI * (95 * t - 60 * t * t)) * fades + 0.6 * noise(2200 * fades + 150) * fades;
});

for (const [name, bytes] of Object.entries({ launch, burst })) {
  writeFileSync(new URL(`../spells/fireball/assets/fireball/${name}.wav`, import.meta.url), bytes);
}

/** Samples of eight bits from a wave of values from -1 to 1, by seconds; `noise` is below a frequency. */
function sound(seconds, wave) {
  const samples = Buffer.alloc(Math.round(seconds * RATE_HZ));
  let [seed, heard] = [1, 0];
  const noise = (below) => {
    seed = (seed * 16_807) % 2_147_483_647;
    heard += (1 - Math.exp((-2 * Math.PI * below) / RATE_HZ)) * ((2 * seed) / 2_147_483_647 - 1 - heard);
    return 1.6 * heard;
  };
  for (let i = 0; i < samples.length; i++) samples[i] = 128 + Math.round(127 * Math.max(-1, Math.min(1, wave(i / RATE_HZ, noise))));
  return Buffer.concat([head(samples.length), samples]);
}

/** One channel of eight bits. */
function head(length) {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(HEAD_BYTES - 8 + length, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  [1, 1].forEach((value, n) => bytes.writeUInt16LE(value, 20 + 2 * n));
  [RATE_HZ, RATE_HZ].forEach((value, n) => bytes.writeUInt32LE(value, 24 + 4 * n));
  [1, 8].forEach((value, n) => bytes.writeUInt16LE(value, 32 + 2 * n));
  bytes.write('data', 36);
  bytes.writeUInt32LE(length, 40);
  return bytes;
}
