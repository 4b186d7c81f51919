//! Every limit of the control plane, with its reason.

use protocol::limits::{
    ASSET_BYTES_MAX, ASSETS_BYTES_MAX, COMPONENT_BYTES_MAX, LINK_REPORTS_MAX, PACKAGE_FILES_MAX, PROMPT_BYTES_MAX, SOURCE_BYTES_MAX,
    USAGE_LIVE_MAX, USAGE_PLAYERS_MAX,
};
use std::time::Duration;

/// A login lasts an evening; the account key brings the player back after it.
pub const SESSION_MS: i64 = 4 * 60 * 60 * 1000;
/// Logins of one player that are good at once; the one that expires first makes room.
pub const SESSIONS_PER_PLAYER_MAX: u32 = 16;
/// Characters of a handle: it is drawn above a head.
pub const HANDLE_CHARS_MAX: usize = 32;
/// Suffixes tried for a taken handle (`kim-2` to `kim-99`) before a random one is taken.
pub const HANDLE_SUFFIX_MAX: u32 = 99;
/// A token that is longer is none of ours (64), and is not even hashed.
pub const TOKEN_CHARS_MAX: usize = 256;
/// Logins of one address in the long run, a second. A hall full of players behind one router stays far below.
pub const LOGINS_PER_SECOND: f64 = 60.0;
/// Logins of one address at once, before the rate counts: load tests start their crowd in one go.
pub const LOGIN_BURST: f64 = 600.0;
/// Addresses, or players, whose requests are counted apart; who was quiet longest is forgotten first.
pub const BUCKETS_MAX: usize = 4096;
/// Requests that one address may make at once: behind one there may be a school.
pub const ADDRESS_BURST: f64 = 4_000.0;
/// Requests that an address gets back in a second.
pub const ADDRESS_REQUESTS_PER_SECOND: f64 = 1_000.0;
/// Requests that one player may make at once.
pub const PLAYER_BURST: f64 = 600.0;
/// Requests that a player gets back in a second: who waits for a build asks 40 times in one.
pub const PLAYER_REQUESTS_PER_SECOND: f64 = 200.0;
/// How long a browser may remember what another origin's page may do.
pub const CORS_TIME: Duration = Duration::from_secs(600);
/// The longest ban, hours: ten years.
pub const BAN_HOURS_MAX: f64 = 87_600.0;
/// Requests a minute that an operator may leave a player.
pub const THROTTLE_PER_MINUTE_MAX: f64 = PLAYER_REQUESTS_PER_SECOND * 60.0;
/// Sessions, bans or entries of a log in one answer for operators.
pub const ADMIN_LISTED_MAX: u32 = 500;
/// Publications, audit entries and operators' acts that are kept, per spell or in all.
pub const HISTORY_KEPT: u32 = 10_000;
/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;
/// How long the answer to a request with one is kept.
pub const IDEMPOTENCY_MS: i64 = 24 * 60 * 60 * 1000;
/// Bytes of such an answer; a larger one is not kept.
pub const IDEMPOTENT_ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Connections from elsewhere at once, and as many again from this machine, where a proxy may stand. A crowd of 500 bots keeps one each.
pub const CONNECTIONS_MAX: usize = 2048;
/// Of those from elsewhere, the ones of one address: behind it there may be a school, and nobody takes all.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 512;
const _: () = assert!(CONNECTIONS_PER_ADDRESS_MAX < CONNECTIONS_MAX);
/// Connections beyond them that are told to come again, or are a game server's: each of those has a line and a few for its reports and artifacts.
pub const CONNECTIONS_STANDING_MAX: usize = 4 * SERVERS_MAX;
/// Open files that the process asks for: connections, and half as many again for the rest (pipes of 64 game servers, links, blobs).
pub const OPEN_FILES_MAX: u64 = 3 * CONNECTIONS_MAX as u64;
/// From a connection's start, or its last answer, to the last byte of the next request's headers: who asks nothing makes room.
pub const HEADER_TIME_MAX: Duration = Duration::from_secs(20);
/// Bytes of a request's headers, and of the buffer that they are read into.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// How long a client may leave our bytes untaken before its connection is dropped.
pub const UNTAKEN_TIME_MAX: Duration = Duration::from_secs(30);

/// An ordinary request's body.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// A build's body: JSON escapes double the size of ordinary source at worst, and base64 makes four bytes of three.
pub const BUILD_BODY_BYTES_MAX: usize =
    2 * SOURCE_BYTES_MAX + 2 * PROMPT_BYTES_MAX + (ASSETS_BYTES_MAX + COMPONENT_BYTES_MAX) / 3 * 4 + BODY_BYTES_MAX;
const _: () = assert!(BODY_BYTES_MAX <= BUILD_BODY_BYTES_MAX);
/// What is read of a body that is too long, so that its sender sees the answer: a generous multiple of what any route takes.
pub const DISCARDED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Entries of a zip, folders among them.
pub const ZIP_ENTRIES_MAX: usize = 2 * PACKAGE_FILES_MAX;
/// One file of a zip, unpacked.
pub const ZIP_FILE_BYTES_MAX: usize = COMPONENT_BYTES_MAX;
const _: () = assert!(ASSET_BYTES_MAX <= ZIP_FILE_BYTES_MAX && SOURCE_BYTES_MAX <= ZIP_FILE_BYTES_MAX);
/// All files of a zip, unpacked.
pub const ZIP_BYTES_MAX: usize = SOURCE_BYTES_MAX + ASSETS_BYTES_MAX + COMPONENT_BYTES_MAX;
/// How many times its size a file of a zip may unpack to: source packs to a fifth, an empty texture to a hundredth.
pub const ZIP_RATIO_MAX: u64 = 200;
/// Files that unpack to no more than this are no bomb, whatever the ratio.
pub const ZIP_RATIO_FREE_BYTES: usize = 64 * 1024;
const _: () = assert!(BUILD_BODY_BYTES_MAX <= DISCARDED_BYTES_MAX);
/// A game server's reports in one request.
pub const REPORTS_BODY_BYTES_MAX: usize = LINK_REPORTS_MAX * 4096;
/// One request from its last header to the first byte of its answer; a slow body counts.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// The body of a world's import: an export, or as much JSON.
pub const WORLD_BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Imports of worlds that are taken in at once, each with a body of up to `WORLD_BODY_BYTES_MAX`; who comes next is told to come again.
pub const IMPORTS_AT_ONCE_MAX: usize = 8;
/// Worlds that are unpacked, or shown, at once; others wait for their turn. The largest takes about a gigabyte.
pub const WORLDS_UNPACKED_AT_ONCE_MAX: usize = 2;
const _: () = assert!(WORLDS_UNPACKED_AT_ONCE_MAX <= IMPORTS_AT_ONCE_MAX);
/// What `GET /api/jobs/<id>?wait_ms=` may ask for.
pub const JOB_WAIT_TIME_MAX: Duration = Duration::from_secs(20);
const _: () = assert!(JOB_WAIT_TIME_MAX.as_secs() < REQUEST_TIME_MAX.as_secs());

/// Spells, revisions and limits that stops are counted apart for: some hundred revisions with a few limits each.
pub const STOPS_COUNTED_MAX: usize = 4096;
/// Characters of a limit's name in that count; ours have at most 13.
pub const STOP_LIMIT_CHARS_MAX: usize = 32;

/// How long a world, or a player, counts among those who run a revision after its last cast there.
pub const USAGE_RECENT: Duration = Duration::from_secs(600);
/// Revisions that are remembered of one world for that: those that are live, and as many again.
pub const USAGE_RECENT_REVISIONS_MAX: usize = 2 * USAGE_LIVE_MAX;
/// Players that are remembered of one world for that, of all revisions together.
pub const USAGE_RECENT_PLAYERS_MAX: usize = USAGE_PLAYERS_MAX;

/// Builds that run at once: a build is one busy core, and games tick on the same machine.
pub const BUILD_WORKERS: usize = 2;
/// Wall time of one build, from the worker's start to its last word. An honest one takes under a second.
pub const BUILD_TIME_MAX: Duration = Duration::from_secs(15);
/// For the lock of the data directory: longer than a child takes from fork to exec, which is when one of a killed control plane lets go of it.
pub const LOCK_WAIT_MAX: Duration = Duration::from_secs(2);
/// Between two tries.
pub const LOCK_WAIT_STEP: Duration = Duration::from_millis(20);
/// For the compile worker to try itself and its sandbox at the start, which takes a second.
pub const BUILDER_CHECK_TIME_MAX: Duration = Duration::from_secs(20);
/// A player whose last build took no longer has a worker that strangers' builds are kept from.
pub const QUICK_BUILD_TIME_MAX: Duration = Duration::from_secs(5);
const _: () = assert!(BUILD_WORKERS >= 2, "one of them is kept");
/// Players that are remembered for that.
pub const QUICK_PLAYERS_MAX: usize = 4096;
/// Builds of one player that wait, beside one that runs.
pub const BUILDS_WAITING_PER_PLAYER_MAX: usize = 3;
/// Ended jobs whose stages can still be replayed by number to whoever reads their events again.
pub const TRACES_KEPT: usize = 256;
/// A stream of a job's events says so this often when nothing happens.
pub const EVENTS_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Results of builds that a build of the same package finds again.
pub const BUILDS_CACHED_MAX: u32 = 10_000;
/// Drafts of a spell that are kept though they never left the draft channel.
pub const DRAFTS_KEPT_PER_SPELL: u32 = 50;
/// One answer of the generator: a large model takes half a minute for a spell.
pub const GENERATOR_TIME_MAX: Duration = Duration::from_secs(90);
/// For a command that has closed its output to end.
pub const GENERATOR_END_TIME_MAX: Duration = Duration::from_secs(2);
/// Bytes of such an answer, JSON and explanations included.
pub const GENERATOR_ANSWER_BYTES_MAX: usize = 2 * SOURCE_BYTES_MAX;
/// Times that source is asked for: once, and again with the compiler's errors.
pub const GENERATOR_ROUNDS_MAX: usize = 3;
/// Collaborators of one spell.
pub const COLLABORATORS_MAX: usize = 16;
/// Characters of the reason for which a revision is revoked.
pub const REVOKE_REASON_CHARS_MAX: usize = 200;
/// Entries of a spell's audit log in one answer.
pub const AUDIT_LISTED_MAX: u32 = 200;
/// Publications that are made at once.
pub const PUBLICATIONS_AT_ONCE_MAX: usize = 32;
/// Drafts that one player has live at once.
pub const LIVE_DRAFTS_PER_PLAYER_MAX: u32 = 32;
/// Casts that a rollout may wait for: a day of a busy world's.
pub const MIN_CASTS_MAX: u32 = 1_000_000;
/// Seconds that a rollout may bake: 30 days.
pub const BAKE_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;
/// How often rollouts are judged when no world says anything.
pub const ROLLOUT_JUDGE_INTERVAL: Duration = Duration::from_secs(1);
/// How often what is over is forgotten.
pub const CLEANUP_INTERVAL: Duration = Duration::from_secs(3600);
/// Casts that one life of a game server can tell of in one rollout: a busy world has as many in three thousand years, and a sum of millions of lives is still a number.
pub const TALLY_CASTS_MAX: u64 = 1 << 40;
/// Rollouts of a spell in one list.
pub const ROLLOUTS_LISTED_MAX: u32 = 50;
/// Players in one world: what a game server takes.
pub const WORLD_PLAYERS_MAX: u16 = 256;
/// Spells that a world's policy pins.
pub const POLICY_PINS_MAX: usize = 128;
/// Spells that a world's policy allows, or denies, by name.
pub const POLICY_SPELLS_MAX: usize = 256;
/// How long somebody who has a ticket is taken for present: as long as it is good, and some time to be reported.
pub const EXPECTED_TIME_MAX: Duration = Duration::from_secs(40);
/// Builds that wait in all: two workers clear them within two minutes.
pub const BUILDS_WAITING_MAX: usize = 256;
const _: () = assert!(BUILDS_WAITING_PER_PLAYER_MAX <= BUILDS_WAITING_MAX);
/// Of them, when the player who asks has not yet built quickly: newcomers, however many, leave room for those who have.
pub const STRANGERS_WAITING_MAX: usize = BUILDS_WAITING_MAX / 2;
/// Prompts that wait: each takes its worker for minutes at worst.
pub const PROMPTS_WAITING_MAX: usize = 16;
/// Packages that wait, all together.
pub const WAITING_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Free bytes of the disk below which nothing is built: worlds are saved to it.
pub const DISK_FREE_BYTES_MIN: u64 = 512 * 1024 * 1024;
/// Components that are remembered because no native code could be made of them.
pub const WITHOUT_NATIVE_MAX: usize = 1024;
/// What a compile worker may write to its standard output: a few stages and `DIAGNOSTICS_MAX` diagnostics.
pub const BUILDER_OUTPUT_BYTES_MAX: u64 = 1024 * 1024;
/// Finished jobs that are remembered for one player.
pub const JOBS_KEPT_PER_PLAYER: u32 = 1000;
/// Spells that one player may own: names are a common good.
pub const SPELLS_PER_PLAYER_MAX: u32 = 256;
/// Revisions of a spell: their number has six digits.
pub const REVISIONS_PER_SPELL_MAX: u32 = 999_999;
/// Entries of a spell's log; a faulting spell writes one a cast, and the newest tell the most.
pub const SPELL_LOG_ENTRIES_MAX: u32 = 200;

/// Worlds that one player may make.
pub const WORLDS_PER_PLAYER_MAX: u32 = 256;
/// Characters of a world's name.
pub const WORLD_NAME_CHARS_MAX: usize = 64;
/// Characters of a world's description.
pub const WORLD_DESCRIPTION_CHARS_MAX: usize = 1024;
/// Spells or worlds in one list.
pub const LISTED_MAX: u32 = 1000;
/// Revisions in one list: each carries its manifest.
pub const REVISIONS_LISTED_MAX: u32 = 100;

/// The first port of a game server.
pub const GAME_PORT_FIRST: u16 = 7777;
/// Ports tried from there.
pub const GAME_PORTS: u16 = 1024;
/// A game server's metrics are so many ports above its own.
pub const METRICS_PORT_OFFSET: u16 = 10_000;
const _: () = assert!(GAME_PORT_FIRST as u32 + GAME_PORTS as u32 + METRICS_PORT_OFFSET as u32 <= u16::MAX as u32);
/// Game servers at once: each is a thread at 60 Hz and its memory.
pub const SERVERS_MAX: usize = 64;
const _: () = assert!(SERVERS_MAX <= GAME_PORTS as usize);
/// Game servers without players that one player's joins may have started: who takes all of them keeps everybody out.
pub const EMPTY_SERVERS_PER_PLAYER_MAX: usize = 8;
const _: () = assert!(EMPTY_SERVERS_PER_PLAYER_MAX < SERVERS_MAX);
/// From the start of a game server to its `GAMESERVER_PORT=<n>`.
pub const SERVER_START_TIME_MAX: Duration = Duration::from_secs(10);
const _: () = assert!(SERVER_START_TIME_MAX.as_secs() < REQUEST_TIME_MAX.as_secs());
/// Starts on further ports when a game server ends before it listens: another process may have taken the port meanwhile.
pub const SERVER_START_ATTEMPTS_MAX: u32 = 3;
/// How often a running server is looked at when nothing happens.
pub const SERVER_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is looked at whether an adopted server still runs, which tells nobody when it ends.
pub const ADOPTED_CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// A server says something each second; one that says nothing for so long hangs, and is replaced.
pub const SERVER_SILENCE_MAX: Duration = Duration::from_secs(15);
/// The pause before the second restart after a crash; doubles with each further one.
pub const CRASH_BACKOFF_MIN: Duration = Duration::from_millis(500);
/// The longest such pause.
pub const CRASH_BACKOFF_MAX: Duration = Duration::from_secs(30);
/// Crashes of late after which a world's server is left alone.
pub const CRASHES_MAX: u32 = 5;
/// How long a crash counts.
pub const CRASHES_REMEMBERED: Duration = Duration::from_secs(300);
/// How long a world whose server always crashes is left alone.
pub const FAILED_TIME: Duration = Duration::from_secs(60);
/// A server's log before it is begun anew; the one before is kept.
pub const SERVER_LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How often servers' logs are looked at.
pub const SERVER_LOG_INTERVAL: Duration = Duration::from_millis(100);
/// Worlds whose servers' last lines are kept in memory; the one that was quiet longest gives way.
pub const SERVER_LOGS_KEPT: usize = SERVERS_MAX;
/// Lines of one server's log that are kept so, and as many of its reports.
pub const SERVER_LINES_KEPT: usize = 200;
/// Characters of such a line: a fault with its message has some hundred.
pub const SERVER_LINE_CHARS_KEPT: usize = 1_000;
/// Bytes of such a report, as JSON.
pub const SERVER_REPORT_BYTES_KEPT: usize = 2_048;
/// What a game server gets for draining before it is killed: for its last save (5 s) and for telling its players (2 s).
pub const SERVER_DRAIN_TIME_MAX: Duration = Duration::from_secs(8);
/// For a game server to carry out an order: to save a large world and to copy its file.
pub const ORDER_TIME_MAX: Duration = Duration::from_secs(20);
const _: () = assert!(ORDER_TIME_MAX.as_secs() < REQUEST_TIME_MAX.as_secs());
/// Orders that one game server has not answered yet.
pub const ORDERS_WAITING_MAX: usize = 16;
/// How far back an operator may take edits back: a world's journal rarely reaches further.
pub const REVERT_SECONDS_MAX: u32 = 7 * 24 * 60 * 60;
/// A game server without players is stopped after this long.
pub const SERVER_IDLE_TIME_MAX: Duration = Duration::from_secs(600);
/// One line of a game server's output; the rest of a longer one goes on a line of its own.
pub const SERVER_LINE_BYTES_MAX: u64 = 16 * 1024;
/// Characters of an engine's id; ours have 48.
pub const ENGINE_ID_CHARS_MAX: usize = 128;
/// A quiet link says so this often.
pub const LINK_ALIVE_INTERVAL: Duration = Duration::from_secs(1);
/// Frames of one link that wait for its reader: each may be an artifact of megabytes.
pub const LINK_FRAMES_WAITING_MAX: usize = 2;

/// For a game server to say what it counts.
pub const SERVER_METRICS_TIME_MAX: Duration = Duration::from_secs(2);
/// What it counts, as text: some hundred bytes for each of its revisions and stages.
pub const SERVER_METRICS_BYTES_MAX: u64 = 1024 * 1024;
