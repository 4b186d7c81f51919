/** What a spell brings for its cues: `assets/<cue>.json` for particles, `.png` for what they look like, `.ogg`, `.mp3` or `.wav` for a sound. Nothing of it is trusted: every file has a limit and a hash. */

import type { Api } from './api';
import {
  ASSETS_KEPT_BYTES_MAX, CUES_REMEMBERED_MAX, PARTICLE_LIMITS, PARTICLES_JSON_BYTES_MAX, SOUND_BYTES_MAX, SOUND_SECONDS_MAX, SPRITE_BYTES_MAX, SPRITE_PIXELS_MAX,
} from './limits';
import type { Manifests, RevisionFile } from './manifests';
import type { Burst } from './stage';

/** How particles are thrown. */
export type Throw = Pick<Burst, 'count' | 'color' | 'speed' | 'seconds' | 'size' | 'gravity'>;

/** What there is for one cue, of what can be used. */
export interface CueAssets {
  particles: Throw | null;
  /** The key of the picture that was handed over. */
  sprite: string | null;
  sound: AudioBuffer | null;
}

/** What the assets are given to. */
export interface Users {
  sha256(bytes: Uint8Array): string;
  decodeSound(bytes: ArrayBuffer): Promise<AudioBuffer | null>;
  /** A picture for particles; null takes it away. */
  sprite(key: string, image: ImageBitmap | null): void;
  /** For the spell's author alone. */
  complain(text: string): void;
}

interface Kept {
  assets: Promise<CueAssets | null>;
  bytes: number;
  sprite: string | null;
}

const SOUND_ENDINGS = ['ogg', 'mp3', 'wav'];
/** Width and height in a PNG's first chunk. */
const PNG_SIZE_AT = 16;

export class Assets {
  /** By spell, revision and cue, the one used last at the end. */
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly api: Api, private readonly manifests: Manifests, private readonly users: Users) {}

  /** What there is for a cue; null if there is nothing. */
  of(spellId: string, revisionId: string, cue: string): Promise<CueAssets | null> {
    const key = `${spellId}/${revisionId}/${cue}`;
    const known = this.kept.get(key);
    const kept: Kept = known ?? { assets: Promise.resolve(null), bytes: 0, sprite: null };
    this.kept.delete(key);
    this.kept.set(key, kept);
    if (!known) kept.assets = this.load(spellId, revisionId, cue, kept);
    this.makeRoom();
    return kept.assets;
  }

  private async load(spellId: string, revisionId: string, cue: string, kept: Kept): Promise<CueAssets | null> {
    const declared = await this.manifests.of(spellId, revisionId);
    const file = (ending: string): RevisionFile | undefined => declared?.assets.find(({ path }) => path === `assets/${cue}.${ending}`);
    const usable = async <T>(found: RevisionFile | undefined, bytesMax: number, use: (bytes: ArrayBuffer) => T | Promise<T>): Promise<T | null> => {
      if (!found) return null;
      try {
        if (found.size > bytesMax) throw new Error(`${found.size} bytes are over the limit of ${bytesMax}`);
        return await use(await this.fetch(spellId, revisionId, found));
      } catch (error) {
        if (declared?.author === this.api.account?.username) this.users.complain(`${spellId}: ${found.path}: ${error instanceof Error ? error.message : String(error)}`);
        return null;
      }
    };
    const sound = SOUND_ENDINGS.map(file).find((found) => found !== undefined);
    const [particles, image, clip] = await Promise.all([
      usable(file('json'), PARTICLES_JSON_BYTES_MAX, readThrow),
      usable(file('png'), SPRITE_BYTES_MAX, picture),
      usable(sound, SOUND_BYTES_MAX, (bytes) => this.clip(bytes)),
    ]);
    if (!particles && !image && !clip) return null;
    if (image) {
      kept.sprite = `${spellId}/${revisionId}/${cue}`;
      kept.bytes += 4 * image.width * image.height;
      this.users.sprite(kept.sprite, image);
    }
    if (clip) kept.bytes += 4 * clip.length * clip.numberOfChannels;
    this.makeRoom();
    return { particles, sprite: kept.sprite, sound: clip };
  }

  /** The file, if it is what the manifest says that it is. */
  private async fetch(spellId: string, revisionId: string, { path, hash, size }: RevisionFile): Promise<ArrayBuffer> {
    const bytes = await (await this.api.reach('GET', `/api/spells/${spellId}/revisions/${revisionId}/files/${path}`)).arrayBuffer();
    if (bytes.byteLength !== size || this.users.sha256(new Uint8Array(bytes)) !== hash) throw new Error('it has another hash than its manifest says');
    return bytes;
  }

  private async clip(bytes: ArrayBuffer): Promise<AudioBuffer | null> {
    const clip = await this.users.decodeSound(bytes).catch(() => {
      throw new Error('it cannot be decoded');
    });
    if (clip && clip.duration > SOUND_SECONDS_MAX) throw new Error(`${clip.duration.toFixed(1)} s are over the limit of ${SOUND_SECONDS_MAX}`);
    return clip;
  }

  /** Those that were not used for the longest time give way. */
  private makeRoom(): void {
    let bytes = [...this.kept.values()].reduce((all, one) => all + one.bytes, 0);
    for (const [key, one] of this.kept) {
      if (bytes <= ASSETS_KEPT_BYTES_MAX && this.kept.size <= CUES_REMEMBERED_MAX) return;
      bytes -= one.bytes;
      this.kept.delete(key);
      if (one.sprite) this.users.sprite(one.sprite, null);
    }
  }
}

/** Particles as the file has them, each figure within its limits; what is left out is as for a cue without a file. */
export function readThrow(bytes: ArrayBuffer): Throw {
  const read: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (typeof read !== 'object' || read === null || Array.isArray(read)) throw new Error('it is no object');
  const from = read as Record<string, unknown>;
  const color = typeof from['color'] === 'string' ? /^#([0-9a-f]{6})$/i.exec(from['color'])?.[1] : undefined;
  const figure = (name: keyof typeof PARTICLE_LIMITS): number => {
    const { usual } = PARTICLE_LIMITS[name];
    const value = from[name];
    return within(name, typeof value === 'number' ? value : usual);
  };
  return {
    count: Math.round(figure('count')), speed: figure('speed'), seconds: figure('seconds'), size: figure('size'), gravity: figure('gravity'),
    color: color ? parseInt(color, 16) : 0x8fd0ff,
  };
}

/** The same, at a cue's scale. */
export function scaled(thrown: Throw, scale: number): Throw {
  return { ...thrown, speed: within('speed', thrown.speed * scale), size: within('size', thrown.size * scale) };
}

function within(name: keyof typeof PARTICLE_LIMITS, value: number): number {
  const { least, most } = PARTICLE_LIMITS[name];
  return Math.max(least, Math.min(most, value));
}

/** A picture that is small enough before anything of it is decoded. */
async function picture(bytes: ArrayBuffer): Promise<ImageBitmap> {
  const size = new DataView(bytes, PNG_SIZE_AT, 8);
  const [width, height] = [size.getUint32(0), size.getUint32(4)];
  if (width > SPRITE_PIXELS_MAX || height > SPRITE_PIXELS_MAX) throw new Error(`${width} x ${height} pixels are over the limit of ${SPRITE_PIXELS_MAX} x ${SPRITE_PIXELS_MAX}`);
  return createImageBitmap(new Blob([bytes], { type: 'image/png' })).catch(() => {
    throw new Error('it cannot be decoded');
  });
}
