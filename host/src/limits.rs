//! Every limit of the game server's shell, with its reason. What crosses the wire is bounded in `protocol::limits`.

use protocol::limits::CHUNK_CREDITS_MAX;
use std::time::Duration;

/// Ticks that may be made up for after a stall; the rest is skipped and counted, or a stall would breed the next one.
pub const CATCH_UP_TICKS_MAX: u32 = 5;
/// Ticks between two snapshots: 20 a second (PROTOCOL.md).
pub const SNAPSHOT_INTERVAL_TICKS: u64 = 3;
/// Mail that waits for the game loop. All players' inputs of several ticks: 256 players at 60 Hz leave 256 a tick.
pub const INBOX_MAX: usize = 4_096;
const _: () = assert!(INBOX_MAX >= 4 * sim::limits::PLAYERS_MAX);

/// Chunks that a client may ask for in a second: the floor of a new world twice over. Each is a batch of its own, and half of those that may wait for a client.
pub const CHUNK_REQUESTS_PER_SECOND_MAX: u32 = 64;
const _: () = assert!(CHUNK_REQUESTS_PER_SECOND_MAX as usize * 2 <= OUTGOING_BATCHES_MAX);
/// Chunks that wait to be packed, half a millisecond each: half a second of work. Who finds it full is told to ask again.
pub const CHUNK_JOBS_MAX: usize = 1_024;
/// Packed chunks that are kept for the next who asks: at most 45 kB each for v1 and 33 kB for v2, a few hundred bytes as a rule.
pub const PACKED_CHUNKS_MAX: usize = 512;
/// Chunks whose columns are nearer to a player's are sent to its client unasked, and those as many above and below: as far as entities are seen.
pub const STREAM_DISTANCE_CHUNKS: i32 = 4;
/// A chunk is forgotten when it is further away by more than this: who walks along a border is not sent the same again and again.
pub const STREAM_LINGER_CHUNKS: i32 = 1;
/// Chunks that one client is sent unasked in a tick.
pub const STREAM_CHUNKS_PER_TICK: u32 = 2;
/// Ticks after which is looked again which are the nearest (a quarter of a second): a look takes 30 us.
pub const STREAM_LOOK_TICKS: u64 = 15;
const _: () = assert!((CHUNK_CREDITS_MAX + CHUNK_REQUESTS_PER_SECOND_MAX) as usize <= OUTGOING_BATCHES_MAX);
// The door refuses what the world would refuse.
const _: () = assert!(protocol::limits::TERRAFORM_RADIUS_MAX_M == sim::limits::TERRAFORM_RADIUS_MAX_M);

/// Ticks between two saves (3/4 s): with what a disk takes to write one, a crash loses less than a second.
pub const SAVE_INTERVAL_TICKS: u64 = 45;
/// Saves and copies that wait for the disk: one save by the clock, and two jobs for each order that the control plane may have open (16).
pub const SAVER_JOBS_MAX: usize = 64;
/// Between two copies that are kept as a world's previous generation.
pub const PREVIOUS_INTERVAL: Duration = Duration::from_secs(3_600);
/// Of saves that fail one after the other, the log has the first and then every so many-th: one in a minute.
pub const SAVE_FAILURES_TOLD_EVERY: u64 = 80;
/// For the last save when the server stops.
pub const LAST_SAVE_TIMEOUT: Duration = Duration::from_secs(5);
/// A last save that fails is tried again for so long; the rest of the time is for the try that runs then.
pub const LAST_SAVE_RETRY_TIME: Duration = Duration::from_millis(2_500);
/// Between two tries.
pub const LAST_SAVE_RETRY_INTERVAL: Duration = Duration::from_millis(100);
const _: () = assert!(LAST_SAVE_RETRY_TIME.as_millis() as u64 + store::limits::BUSY_TIMEOUT_MS < LAST_SAVE_TIMEOUT.as_millis() as u64);
/// Ticks that a player is waited for whose line broke, or whose world was loaded (30 s): until then it stands where it was, and its casts go on.
pub const AWAITED_TICKS: u64 = 30 * sim::limits::TICK_HZ as u64;

/// Inputs of one client that wait for their tick: the longest delay, and as many that came at once.
pub const INPUTS_WAITING_MAX: usize = 16;
/// Ticks that an input may wait for those of an uneven line (100 ms).
pub const INPUT_DELAY_TICKS_MAX: i64 = 6;
/// Inputs after which it is judged whether they wait long enough, or too long (2 s).
pub const INPUT_WINDOW: u32 = 120;
/// In this share of so many ticks inputs may come too late for theirs, percent, before all wait a tick longer.
pub const INPUT_LATE_PERCENT: u32 = 3;
/// Edge of the columns in which entities are grouped for snapshots, metres: a chunk.
pub const GROUP_CELL_M: f32 = 32.0;
/// An entity that has left its column by no more than this stays in its group, so that who walks along a border does not change groups at each step.
pub const GROUP_LINGER_M: f32 = 2.0;
/// Things of one owner that share groups with those of others. Few groups are quick to look through, and what an owner has beyond this can wait without them.
pub const THINGS_AMONG_OTHERS_MAX: usize = 32;
/// A group that has been empty for so many ticks (10 s) is forgotten: by then no client refers to it.
pub const GROUP_IDLE_TICKS: u64 = 600;
/// States of a group that are kept for clients that have acknowledged no newer one: more than three seconds of snapshots.
pub const GROUP_STATES_MAX: usize = 64;
/// What is nearer than this is seen, metres, as seen from above and from the nearest point of a group's column.
pub const VIEW_M: f32 = 128.0;
/// What is seen is seen until it is this much further away, so that nothing at the edge of sight flickers.
pub const VIEW_LINGER_M: f32 = 16.0;
/// Whom a player has hit or aimed a spell at, and who has hit the player, is seen for so many ticks (5 s) at any distance.
pub const RELEVANT_TICKS: u64 = 300;
/// Such entities of one client; the one that matters the shortest gives way.
pub const RELEVANT_MAX: usize = 16;
/// Bytes of v2's snapshots to one client in a second: 512 kbit/s, four times what sixty-four players around it take.
pub const SNAPSHOT_BYTES_PER_SECOND_V2: u32 = 64 * 1024;
/// Bytes of v1's: the same entities take sixteen times as much as text.
pub const SNAPSHOT_BYTES_PER_SECOND_V1: u32 = 1024 * 1024;
const _: () = assert!(protocol::limits::BASELINES_MAX < GROUP_STATES_MAX);

/// Sockets open at once: each player's, and as many that have yet to say who they are. When all are taken, those make room.
pub const CONNECTIONS_MAX: usize = 2 * sim::limits::PLAYERS_MAX;
/// Sockets from one address, unless a setting says otherwise: half a world's players may come from one school, and nobody fills a world alone.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = sim::limits::PLAYERS_MAX / 2;
/// Connections that are being told that there is no room, at once; further ones are dropped without a word, which costs least.
pub const REFUSALS_AT_ONCE_MAX: usize = 64;
/// After which they are told to come again.
pub const FULL_RETRY_SECONDS: u16 = 5;
/// Bytes of a request for the upgrade: a browser's, with the cookies that other servers of the same name have left it.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// From accepting a socket to the WebSocket's upgrade, and again from there to the handshake message.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two pings to a client. Its pongs are how it is heard of when it has nothing to say; they tell that it reads, and keep routers from forgetting the line.
pub const PING_INTERVAL: Duration = Duration::from_secs(2);
/// A client that owes so many pongs when the next ping is due (8 s) is gone, though nobody has told, or reads nothing. They are counted, so that no pause of this process counts against a client.
pub const PINGS_UNANSWERED_MAX: u32 = 3;
/// Messages of one client in a second, as long as it goes on: ten times the input rate. Inputs beyond one a tick only replace each other.
pub const MESSAGES_PER_SECOND_MAX: u32 = 600;
/// Messages of one client that may come at once: what a stalled line, or a server that was stopped, finds waiting. The control plane gives a server up after 15 s;
/// until then an honest client has sent two a tick at most.
pub const MESSAGES_AT_ONCE_MAX: u32 = 2 * sim::limits::TICK_HZ * 15;
/// Lines of chat of one client in a second, as long as it goes on.
pub const CHATS_PER_SECOND_MAX: u32 = 1;
/// And at once, after a silence.
pub const CHATS_AT_ONCE_MAX: u32 = 5;
/// Ticks after which a player is told again how it is though nothing has come unforeseen (2 s): what its client compares its own state with.
pub const STATUS_INTERVAL_TICKS: u64 = 120;
/// Mana by which a client may be wrong that counts on from what it was told.
pub const STATUS_MANA_ERROR_MAX: f32 = 0.5;
/// Batches that wait for one client, at most two a tick: a second or more of events. One that is further behind is disconnected, for it cannot be told what it missed.
pub const OUTGOING_BATCHES_MAX: usize = 128;
/// A client whose socket takes nothing for so long is gone.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(6);
/// For the last messages and the close frame.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// What is read and forgotten after a close frame, so that the client sees it: more than the kernel holds for one socket.
pub const LINGER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// For all connections to close when the server stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The kernel's buffer for what a client has not read: a second of snapshots. Larger ones only hide that a client is behind.
pub const SOCKET_SEND_BUFFER_BYTES: u32 = 128 * 1024;
/// What is read from a socket at once: some dozens of inputs. tungstenite clears so much for each reading; longer messages take several.
pub const READ_BUFFER_BYTES: usize = 2 * 1024;
/// tungstenite gathers so much before it writes.
pub const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// And holds at most so much: the longest snapshot, `ENTITIES_MAX` entities of at most 160 bytes, and what was gathered before.
pub const WRITE_BUFFER_BYTES_MAX: usize = 4 * 1024 * 1024;
const _: () = assert!(WRITE_BUFFER_BYTES_MAX > WRITE_BUFFER_BYTES + 160 * sim::limits::ENTITIES_MAX);

/// The control plane says that it is alive each second; a line that is silent for five is dead.
pub const LINK_SILENCE_MAX: Duration = Duration::from_secs(5);
/// For the control plane to accept a connection or to answer.
pub const LINK_ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause before the first reconnection; doubles with each further one.
pub const LINK_BACKOFF_MIN: Duration = Duration::from_millis(100);
/// Longest pause between two reconnections.
pub const LINK_BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Spells that one world follows. Each keeps its native code in memory (tens of kilobytes, at most 16 MiB) and some of the memory mappings that the runtime leaves free.
pub const SPELLS_MAX: usize = 1_024;
/// For one frame of the stream, from its first byte to its last: a line that brings a byte now and then is as dead as a silent one.
pub const LINK_FRAME_TIME_MAX: Duration = Duration::from_secs(10);
const _: () = assert!(LINK_FRAME_TIME_MAX.as_secs() >= LINK_SILENCE_MAX.as_secs());
/// Reports that go in one request.
pub const REPORTS_PER_POST_MAX: usize = 64;

/// Log lines that wait for standard error; further ones are dropped and counted, for nothing may wait for whoever reads them.
pub const LOG_LINES_WAITING_MAX: usize = 4_096;
/// Lines a second that all spells together may add to the server's log; their authors read the rest in the harness.
pub const SPELL_LOG_LINES_PER_SECOND_MAX: u32 = 100;
/// Lines a second about casts that were stopped. A crowd can break a thousand casts a tick, and neither the tick nor a disk has room for as many lines.
pub const FAULT_LOG_LINES_PER_SECOND_MAX: u32 = 100;
/// The first line of standard input: three secrets as JSON.
pub const SECRETS_BYTES_MAX: u64 = 4 * 1024;

/// Ticks between two recordings that are kept: a spell that faults all the time fills no disk.
pub const RECORDING_INTERVAL_TICKS: u64 = 3_600;
/// Recordings of one world that are kept, the newest.
pub const RECORDINGS_KEPT_MAX: usize = 4;

/// Casts of a revision before it is judged: one that fails once says little.
pub const TRIAL_CASTS_MIN: u32 = 8;
/// Percent of them that may fault: beyond it the revision is put into quarantine.
pub const TRIAL_FAULTS_PERCENT_MAX: u32 = 50;
/// Casts after which both counts are halved, so that a revision that goes bad later is noticed too.
pub const TRIAL_CASTS_REMEMBERED: u32 = 64;
/// Ticks between two reports of how a trial goes (a quarter of a second): the longest that a bad revision is not judged.
pub const TRIAL_REPORT_TICKS: u64 = 15;
/// Ticks between two reports of what casts came to (5 s): the longest that a spell's page is behind.
pub const USAGE_REPORT_TICKS: u64 = 300;
/// Revisions of which casts are counted between two reports that are delivered; those of others are not counted.
pub const USAGE_KEPT_MAX: usize = SPELLS_MAX;
const _: () = assert!(protocol::limits::USAGE_COUNTED_MAX <= USAGE_KEPT_MAX && SPELLS_MAX <= protocol::limits::USAGE_LIVE_MAX);
/// Ticks after which the control plane is told who plays though nothing has changed (5 s).
pub const PLAYERS_REPORT_TICKS: u64 = 300;
/// Revisions that are counted apart for Prometheus; the others are one.
pub const METRIC_REVISIONS_MAX: usize = 200;
/// Players that are counted apart there; the others are one.
pub const METRIC_PLAYERS_MAX: usize = 200;
/// After which a revision, or a player, that did nothing is counted no more, and makes room for others.
pub const METRIC_IDLE: Duration = Duration::from_secs(600);
/// A server whose control plane is gone for so long, and on which nobody plays, saves its world and ends.
pub const ORPHAN_TIME_MAX: Duration = Duration::from_secs(600);
/// How often that is looked at.
pub const ORPHAN_CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Bytes of artifacts that are kept on the disk, so that a restart needs no other machine: about 1,000 of the library's size.
pub const ARTIFACT_CACHE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// An artifact that was begun so long ago and is not whole was left behind by a kill: writing one takes no second.
pub const ARTIFACT_LEFT_BEHIND_AGE: Duration = Duration::from_secs(60);
const _: () = assert!(TRIAL_CASTS_MIN <= TRIAL_CASTS_REMEMBERED / 2);
