/** Limits of the workshop, with their reasons; below those of the server that it shows something against. */

/** A world follows a new draft in one of its next ticks; one that takes longer has lost its line. */
export const LIVE_WITHIN_MS = 5000;
/** While a build runs its time is rewritten so often. */
export const ELAPSED_EVERY_MS = 50;
/** Before a log that broke off is followed again. */
export const FOLLOW_AGAIN_MS = 2000;
/** Casts of which there is a card, the newest first. */
export const CARDS_MAX = 12;
/** What is kept of one cast: a spell may do 60 things a second for minutes. */
export const ENTRIES_MAX = 200;
/** What is shown of them: the first ones, which nobody has had the time to see. */
export const ENTRIES_SHOWN_MAX = 24;
/** Between two times that cards are drawn. */
export const CARDS_EVERY_MS = 150;
/** Unsaved work is put aside so long after the last key. */
export const KEEP_AFTER_MS = 400;
/** A spell's id: `[a-z][a-z0-9_]{1,63}`. */
export const SPELL_ID_CHARS_MAX = 64;
/** A spell's files: how many, and how long and deep their paths are; bytes of one asset. The server counts the rest. */
export const PACKAGE_FILES_MAX = 64;
export const PACKAGE_PATH_CHARS_MAX = 128;
export const PACKAGE_DEPTH_MAX = 8;
export const ASSET_BYTES_MAX = 512 * 1024;
/** Of a prompt, which the server takes 16 KiB of: a character may have four bytes. */
export const PROMPT_CHARS_MAX = 4096;
/** Of a prompt's words so many make an id. */
export const PROMPT_ID_WORDS = 3;

/** One call of a hook: `SPELL_FUEL_MAX`. */
export const CALL_FUEL_MAX = 1_000_000;
/** Linear memory of a cast, bytes: `MEMORY_BYTES_MAX`. */
export const CAST_MEMORY_BYTES_MAX = 1 << 20;
/** A player's mana, and how much of it comes back in a second, in a world with the usual settings. */
export const MANA_MAX = 100;
export const MANA_BACK_PER_SECOND = 10;
/** A component's bytes. */
export const COMPONENT_BYTES_MAX = 1 << 20;
/** Ticks a second. */
export const TICKS_PER_SECOND = 60;
