/** A spell's cues as they are seen and heard: by what its revision brings for them, or else as sparks and a chime. */

import { Assets, scaled, type CueAssets } from './assets';
import { CUE_EVERY_MS, CUE_LATE_MS, CUES_REMEMBERED_MAX, PARTICLE_LIMITS } from './limits';
import type { ServerMessage } from './protocol';
import type { Sound } from './sound';
import type { Stage } from './stage';

/** With its revision, by which its files are found. */
export type Cue = Extract<ServerMessage, { type: 120 }>;

const PLAIN = { color: 0x8fd0ff, speed: 2, size: 0.1 };

export class Cues {
  /** How many cues were shown by what their spell brings, for tests. */
  readonly own: Record<string, number> = {};
  /** When each was heard last. */
  private readonly heardMs = new Map<string, number>();
  /** Revisions that the server has told this player to cast: those are there for anybody to look into. */
  private readonly open = new Set<string>();

  constructor(private readonly assets: Assets, private readonly sound: Sound, private readonly stage: Stage) {}

  /** This player's casts of the spell run this revision. */
  active(spellId: string, revisionId: string): void {
    this.open.add(`${spellId}/${revisionId}`);
  }

  async show(cue: Cue): Promise<void> {
    const { spell_id, revision_id, name } = cue;
    const began = performance.now();
    const assets = this.open.has(`${spell_id}/${revision_id}`) ? await this.assets.of(spell_id, revision_id, name) : null;
    // What comes late, the first time perhaps, belongs to a moment that is over.
    this.burst(cue, assets);
    if (performance.now() - began < CUE_LATE_MS) this.play(cue, assets);
  }

  private burst({ position: at, scale, name }: Cue, assets: CueAssets | null): void {
    const { count, seconds, gravity } = PARTICLE_LIMITS;
    const plain = { ...PLAIN, count: count.usual, seconds: seconds.usual, gravity: gravity.usual, speed: 2 + 3 * scale, size: 0.1 + 0.1 * scale };
    const thrown = assets?.particles ? scaled(assets.particles, scale) : plain;
    this.stage.burst({ at, ...thrown, ...(assets?.sprite && { sprite: assets.sprite }) });
    if (assets) this.own[name] = (this.own[name] ?? 0) + 1;
  }

  /** A spell may give sixty of them a second: one sound is not begun again so soon. */
  private play({ spell_id, name, position }: Cue, assets: CueAssets | null): void {
    const [key, now] = [`${spell_id}/${name}`, performance.now()];
    if (now - (this.heardMs.get(key) ?? -CUE_EVERY_MS) < CUE_EVERY_MS) return;
    if (this.heardMs.size >= CUES_REMEMBERED_MAX) this.heardMs.clear();
    this.heardMs.set(key, now);
    if (assets?.sound) this.sound.playClip(name, assets.sound, position);
    else this.sound.play('cue', position);
  }
}
