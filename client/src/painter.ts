/** The worker that draws. The page's thread has ticks to make and a socket to read; a picture that takes long must not hold them up. */

import { Picture } from './scene';
import type { Frame, Word } from './stage';

/** A picture that comes later than this is a pause, and nothing moves on as far. */
const FRAME_SECONDS_MAX = 0.25;

let picture: Picture | null = null;
let newest: Frame | null = null;
let drawnMs = performance.now();

self.onmessage = ({ data: word }: MessageEvent<Word>) => {
  switch (word.say) {
    case 'open':
      picture = new Picture(word.canvas);
      requestAnimationFrame(draw);
      break;
    case 'begin':
      picture?.begin();
      break;
    case 'put':
      picture?.terrain.put(word.key, word.id, word.made);
      break;
    case 'remove':
      picture?.terrain.remove(word.key);
      break;
    case 'burst':
      picture?.burst(word.burst);
      break;
    case 'sprite':
      picture?.sprite(word.key, word.image);
      break;
    case 'hit':
      picture?.hit(word.hit);
      break;
    case 'draw':
      // Of several that have come meanwhile, the last one counts.
      newest = word.frame;
  }
};

function draw(): void {
  requestAnimationFrame(draw);
  const now = performance.now();
  const seconds = Math.min(FRAME_SECONDS_MAX, (now - drawnMs) / 1000);
  drawnMs = now;
  if (newest) picture?.draw(newest, seconds);
}
