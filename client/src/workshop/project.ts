/** The spell in hand: its files as they are in the editor, and where they came from. */

import { SPELL_ID_CHARS_MAX } from './limits';

export interface Project {
  spellId: string;
  /** Text by path. */
  files: Map<string, string>;
  /** Everything else by path, as base64: the workshop carries it along. */
  assets: Map<string, string>;
  /** For people: what it began as. */
  origin: string;
}

/** Where a spell of one file has it. */
export const ROOT = 'src/lib.rs';

const TEXT = /\.(rs|toml|md|txt|scenario)$|(^|\/)LICENSE$/;

export function isText({ path }: { path: string }): boolean {
  return TEXT.test(path);
}

/** The id under which a player's own copy of a spell is built: ids belong to who was first. */
export function ownId(spellId: string, username: string): string {
  const suffix = `_${username.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')}`;
  return spellId.endsWith(suffix) ? spellId : spellId.slice(0, SPELL_ID_CHARS_MAX - suffix.length) + suffix;
}

export function isSpellId(text: string): boolean {
  return text.length <= SPELL_ID_CHARS_MAX && /^[a-z][a-z0-9_]+$/.test(text);
}

/** Where work that is not built yet outlives the page. */
const KEPT = 'ugc-world-workshop';

export function keep({ spellId, files, assets, origin }: Project): void {
  localStorage.setItem(KEPT, JSON.stringify({ spellId, files: [...files], assets: [...assets], origin }));
}

export function kept(): Project | null {
  const text = localStorage.getItem(KEPT);
  if (!text) return null;
  const { spellId, files, assets, origin } = JSON.parse(text) as { spellId: string; files: [string, string][]; assets: [string, string][]; origin: string };
  return { spellId, files: new Map(files), assets: new Map(assets), origin };
}
