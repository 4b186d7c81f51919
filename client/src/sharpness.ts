/** How many pixels are drawn: fewer where the machine is slow, for a coarse picture in time is better to play with than a fine one late. */

const RATIO = { least: 0.4, most: 2 };
/** Pictures are to take no longer than this, on average of some, and are made finer again when they take much less. */
const SLOW_S = 1 / 24;
const FAST_S = 1 / 50;
const AVERAGED = 12;
const STEP = 0.8;

export class Sharpness {
  private ratio = RATIO.most;
  private average = SLOW_S;
  private sinceStep = 0;

  /** A picture took so long. Answers how many pixels to draw for one of the page; `sharp` is all that the screen has. */
  note(seconds: number, screen: number, sharp: boolean): number {
    const most = Math.min(screen, RATIO.most);
    this.average += (seconds - this.average) / AVERAGED;
    this.sinceStep += 1;
    this.ratio = Math.min(this.ratio, most);
    if (sharp) return most;
    // A step shows in the average only after some pictures.
    if (this.sinceStep < AVERAGED) return this.ratio;
    if (this.average > SLOW_S && this.ratio > RATIO.least) this.step(this.ratio * STEP);
    else if (this.average < FAST_S && this.ratio < most) this.step(Math.min(most, this.ratio / STEP));
    return this.ratio;
  }

  private step(ratio: number): void {
    this.ratio = Math.max(RATIO.least, ratio);
    this.sinceStep = 0;
  }
}
