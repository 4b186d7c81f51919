//! How much of a server, a stream or a wait the commands that need one put up with.

use std::time::Duration;

/// From the first byte to a server until it is known that nobody answers.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// One request with its answer. The server gives up on its own after 30 s, and says so.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(40);
/// Bytes of one answer: a hundred revisions, each with the 64 KiB that a compiler may say, and their manifests.
pub const ANSWER_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// How long the server may hold an answer about a build back, in milliseconds: whoever wants to end waits so long.
pub const JOB_WAIT_MS: u64 = 500;
const _: () = assert!(JOB_WAIT_MS < REQUEST_TIME_MAX.as_millis() as u64);
/// From the order of a build to its end. A full queue of 256 clears within two minutes.
pub const BUILD_TIME_MAX: Duration = Duration::from_secs(300);
/// A stream that says nothing for so long is dead: the server sends something every 5 s.
pub const STREAM_SILENCE_MAX: Duration = Duration::from_secs(15);
/// Bytes of one line, and of one event, of a stream. A log line has at most 1,024.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// Between two attempts to follow a stream that was cut.
pub const RECONNECT_INTERVAL: Duration = Duration::from_secs(1);
/// Files are saved when nothing has happened to them for so long: editors write, rename and set times in one go.
pub const SAVE_QUIET_TIME: Duration = Duration::from_millis(50);
/// A folder that never comes to rest is built all the same.
pub const SAVE_WAIT_MAX: Duration = Duration::from_secs(1);
const _: () = assert!(SAVE_QUIET_TIME.as_millis() < SAVE_WAIT_MAX.as_millis());
/// After a failure that may pass, such as a server that restarts, until it is tried again.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// Bytes of the file of logins: some 300 a server.
pub const LOGIN_FILE_BYTES_MAX: u64 = 256 * 1024;
