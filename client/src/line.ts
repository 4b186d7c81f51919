/** A line that is worse than it is, for trying out: the overlay's sliders turn it. */

/** What a frame is worth: events must come, what is said again soon may be lost. */
export type Loss = 'may be lost' | 'must come';

export class Line {
  /** Added to the way there and back together, milliseconds. */
  latencyMs = 0;
  /** The most that is added to that by chance, each way. */
  jitterMs = 0;
  /** Of what may be lost. */
  lossPercent = 0;

  readonly outward = new Lane(this);
  readonly inward = new Lane(this);
}

/** One direction. As TCP, it keeps the order: what is behind a late frame is late. */
export class Lane {
  private busyUntil = 0;

  constructor(private readonly line: Line) {}

  pass(loss: Loss, deliver: () => void): void {
    const { latencyMs, jitterMs, lossPercent } = this.line;
    if (loss === 'may be lost' && Math.random() * 100 < lossPercent) return;
    const now = performance.now();
    const due = Math.max(this.busyUntil, now + latencyMs / 2 + Math.random() * jitterMs);
    if (due <= now) return deliver();
    this.busyUntil = due;
    setTimeout(deliver, due - now);
  }
}
