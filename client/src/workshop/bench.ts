/** The way from a text to its effect: built on the server, live for its author alone, cast at the practice dummy. */

import { Kind } from '../protocol';
import type { Author, Job } from './author';
import type { Casts } from './casts';
import type { Game } from './door';
import { LIVE_WITHIN_MS } from './limits';
import type { Project } from './project';

/** What a fresh draft is tried on, where a world has one. */
const DUMMY = 'dummy';

/** One way to the effect. */
export interface Run {
  job: Job;
  /** What is live for the author now; null if it was not built. */
  revisionId: string | null;
  /** From the key that was pressed. */
  builtAfterMs: number;
  liveAfterMs: number | null;
}

export class Bench {
  private onActive: () => void = () => undefined;

  constructor(
    private readonly author: Author,
    private readonly game: Game,
    /** The revision that new casts of this player run, by spell. */
    private readonly active: ReadonlyMap<string, string>,
    private readonly casts: Casts,
  ) {}

  /** All of it, from a key that was pressed then. */
  async run(project: Project, pressedMs: number, stage: (words: string, percent: number) => void): Promise<Run> {
    const since = (): number => performance.now() - pressedMs;
    const job = await this.author.build(project, (begun) => stage(begun.stage, begun.progress_pct));
    const run: Run = { job, revisionId: null, builtAfterMs: since(), liveAfterMs: null };
    const { result_revision_id: revisionId } = job;
    if (job.status !== 'completed' || !revisionId) return run;
    stage('going live for you', 97);
    await this.author.setDraft(project.spellId, revisionId);
    run.revisionId = revisionId;
    if (await this.live(project.spellId, revisionId)) {
      run.liveAfterMs = since();
      this.casts.expect(pressedMs);
      this.cast(project.spellId);
    }
    return run;
  }

  /** At the dummy; without one, where the player looks. */
  cast(spellId: string): void {
    const dummy = this.game.others().find(({ kind, name }) => kind === Kind.Npc && name === DUMMY);
    this.game.cast(spellId, dummy ? { at: dummy.position, entity: dummy.id } : null);
  }

  /** The server says that something else is active. */
  heedActive(): void {
    this.onActive();
  }

  /** Whether the world has taken the revision, which it does in one of its next ticks. */
  private live(spellId: string, revisionId: string): Promise<boolean> {
    return new Promise((answer) => {
      const look = (): void => {
        if (this.active.get(spellId) === revisionId) answer(true);
      };
      this.onActive = look;
      setTimeout(() => answer(false), LIVE_WITHIN_MS);
      look();
    });
  }
}
