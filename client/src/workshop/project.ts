/** The spell in hand: its files as they are in the editor, and where they came from. */

import { PACKAGE_DEPTH_MAX, PACKAGE_PATH_CHARS_MAX, PROMPT_ID_WORDS, SPELL_ID_CHARS_MAX } from './limits';

export interface Project {
  spellId: string;
  /** Text by path. */
  files: Map<string, string>;
  /** Everything else by path, as base64. */
  assets: Map<string, string>;
  /** For people: what it began as. */
  origin: string;
}

/** Where a spell of one file has it. */
export const ROOT = 'src/lib.rs';

/** Where the server takes what, as docs/spells.md says it. */
const TEXT = [/^src\/.+\.rs$/, /^spell\.toml$/, /\.(md|scenario)$/, /^LICENSE[^/.]*$/, /^assets\/.+\.(txt|json)$/];
const ASSET = /^assets\/.+\.(png|jpe?g|webp|wav|ogg|mp3|glb)$/;

/** What a file of this path is; null where a spell has none. */
export function kindOf(path: string): 'text' | 'asset' | null {
  if (TEXT.some((places) => places.test(path))) return 'text';
  return ASSET.test(path) ? 'asset' : null;
}

/** Why a spell with these files cannot have one of this path; null if it can. */
export function pathProblem(path: string, others: string[]): string | null {
  const isPlain = (part: string): boolean => /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(part) && !part.endsWith('.');
  if (path.length > PACKAGE_PATH_CHARS_MAX || path.split('/').length > PACKAGE_DEPTH_MAX) return 'the path is too long, or lies too deep';
  if (!path.split('/').every(isPlain)) return 'names are of letters, digits, _, - and inner points, with / between them';
  if (!kindOf(path)) return 'it takes src/*.rs, spell.toml, *.md, scenarios/*.scenario, LICENSE, and below assets/ png, jpg, webp, wav, ogg, mp3, glb, txt and json';
  const [low, lows] = [path.toLowerCase(), others.map((other) => other.toLowerCase())];
  const clashes = lows.some((other) => other === low || other.startsWith(`${low}/`) || low.startsWith(`${other}/`));
  return clashes ? 'there is one of that name, or nearly' : null;
}

/** Where a file from a disk goes. */
export function placeOf(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_.-]/g, '_');
  if (plain.endsWith('.rs')) return `src/${plain}`;
  if (plain.endsWith('.scenario')) return `scenarios/${plain}`;
  return kindOf(plain) ? plain : `assets/${plain}`;
}

export function base64(bytes: ArrayBuffer): string {
  return btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(''));
}

/** Files as text, and others in base64: texts among those are texts here. */
export function sorted(texts: Record<string, string>, coded: Record<string, string>): Pick<Project, 'files' | 'assets'> {
  const isText = ([path]: [string, string]): boolean => kindOf(path) === 'text';
  const others = Object.entries(coded);
  const decode = (content: string): string => new TextDecoder().decode(Uint8Array.from(atob(content), (character) => character.charCodeAt(0)));
  const decoded = others.filter(isText).map(([path, content]): [string, string] => [path, decode(content)]);
  return { files: new Map([...Object.entries(texts), ...decoded]), assets: new Map(others.filter((file) => !isText(file))) };
}

/** How many bytes a text in base64 stands for. */
export function bytesOf(coded: string): number {
  return (coded.length / 4) * 3 - (/=*$/.exec(coded)?.[0].length ?? 0);
}

/** The same files, to the letter. */
export function isSame(one: Pick<Project, 'files' | 'assets'>, other: Pick<Project, 'files' | 'assets'>): boolean {
  const alike = (a: Map<string, string>, b: Map<string, string>): boolean => a.size === b.size && [...a].every(([path, content]) => b.get(path) === content);
  return alike(one.files, other.files) && alike(one.assets, other.assets);
}

/** The id under which a player's own copy of a spell is built: ids belong to who was first. */
export function ownId(spellId: string, username: string): string {
  const suffix = `_${username.toLowerCase().replaceAll(/[^a-z0-9]/g, '_')}`;
  return spellId.endsWith(suffix) ? spellId : spellId.slice(0, SPELL_ID_CHARS_MAX - suffix.length) + suffix;
}

/** An id of the first words of a text. */
export function idOf(text: string): string {
  const words = text.toLowerCase().match(/[a-z0-9]+/g)?.slice(0, PROMPT_ID_WORDS).join('_') ?? '';
  return /^[a-z]./.test(words) ? words : `spell_${words}`.replace(/_$/, '');
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
