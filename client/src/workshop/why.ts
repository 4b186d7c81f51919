/** Why a spell was stopped or refused, in words, and what its author can do. docs/spells.md has all of it. */

import { element } from '../elements';
import { COMPONENT_BYTES_MAX } from './limits';

export interface Stop {
  limit: string;
  allowed: number;
  asked: number;
  /** The hook that was stopped; empty for a cast that never began. */
  hook: string;
  message: string;
}

export interface Reason {
  says: string;
  /** What to do about it. */
  help: string;
}

const figures = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const mebibytes = (bytes: number): string => `${figures.format(bytes / COMPONENT_BYTES_MAX)} MiB`;

const REASONS: Record<string, (stop: Stop) => Reason> = {
  fuel: ({ hook, allowed }) => ({
    says: `One call of ${hook} may spend ${figures.format(allowed)} units of fuel, about a millisecond of work. This one was not done by then.`,
    help: 'Most often a loop that does not end. Work that is long belongs into on_tick, a piece at a time.',
  }),
  time: ({ hook }) => ({ says: `${hook} took longer than any call may, so the server ended it by the clock.`, help: 'Do less in one call, and fill less memory at once.' }),
  memory: ({ allowed }) => ({ says: `A cast may have ${allowed > 0 ? mebibytes(allowed) : '1 MiB'} of memory, and this one wanted more.`, help: 'Keep shorter lists: something grows with every call.' }),
  stack: ({ hook }) => ({ says: `${hook} called itself too deeply.`, help: 'A function that calls itself needs an end; a loop needs no stack.' }),
  unreachable: ({ hook }) => ({ says: `${hook} panicked.`, help: 'The message has the line: an unwrap of nothing, an index that is too high, or a panic! of your own.' }),
  capability: ({ hook }) => ({ says: `${hook} asked for something that the envelope does not declare.`, help: 'Add what the message names to .can(...).' }),
  mana: ({ asked, allowed, hook }) => hook
    ? { says: 'The caster could not pay for the cast any longer.', help: 'It costs fuel and effects every tick: do less, or end sooner.' }
    : { says: `This cast costs ${figures.format(asked)} mana, and you have ${figures.format(allowed)}.`, help: 'Wait a moment: 10 mana come back each second. A smaller envelope costs less.' },
  cooldown: () => ({ says: 'A spell can be cast again half a second after its last cast.', help: 'Wait a moment.' }),
  live_casts: ({ allowed }) => ({ says: `${allowed} casts of yours may live at once, and that many do.`, help: 'Let a cast end itself by world.finish(), or declare a shorter duration.' }),
  suspended: () => ({ says: 'This revision was stopped so often that it rests for you.', help: 'A new revision can be cast at once: change something and build.' }),
  unknown_spell: () => ({ says: 'This world runs no revision of the spell for you.', help: 'Build it, or publish it. The world may not admit it.' }),
};

/** In words, whatever it is: what is not known here has the server's own words. Hooks are called what an author writes. */
export function why(stop: Stop): Reason {
  const named = { ...stop, hook: stop.hook.replaceAll('-', '_') };
  return REASONS[stop.limit]?.(named) ?? { says: stop.message, help: '' };
}

/** What the guide explains besides, by the same names; the compiler's own codes are not among them. */
const ALSO_EXPLAINED = [
  'radius', 'entities', 'voxels', 'finite', 'magnitude', 'target', 'intents', 'length', 'out_of_bounds', 'division', 'indirect_call', 'table', 'instances', 'host',
  'wait', 'exit', 'handles', 'restore', 'world_casts', 'unknown_revision', 'caster_gone', 'not_finite', 'file', 'spell_toml', 'size', 'import', 'export', 'envelope',
  'feature', 'invalid', 'nesting', 'core_module', 'component', 'save', 'unused_capability',
];

/** The way to what the guide says about a limit, if it says something. */
export function more(limit: string): HTMLElement[] {
  const isExplained = Object.hasOwn(REASONS, limit) || ALSO_EXPLAINED.includes(limit);
  return isExplained ? [element('a', { class: 'more', href: `/guide/errors#${limit}`, target: '_blank', rel: 'noopener' }, `more about ${limit}`)] : [];
}
