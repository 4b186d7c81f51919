/** How many pixels are drawn: fewer where the machine is slow, for a coarse picture in time is better to play with than a fine one late. */

const RATIO = { least: 0.4, most: 2 };
/** Pictures are to take no longer than this, on average of some, and are made finer again when they take much less. */
const SLOW_S = 1 / 24;
const FAST_S = 1 / 50;
const AVERAGED = 12;
const STEP = 0.8;

export class Sharpness {
  /** Keeps the ratio as it is: for pictures that are to be looked at. */
  fixed = false;
  private ratio = Math.min(devicePixelRatio, RATIO.most);
  private average = SLOW_S;
  private sinceStep = 0;

  /** A picture took so long. Answers the ratio of pixels drawn to pixels of the page for the next. */
  note(seconds: number): number {
    this.average += (seconds - this.average) / AVERAGED;
    this.sinceStep += 1;
    const most = Math.min(devicePixelRatio, RATIO.most);
    if (this.fixed) return most;
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
