//! Chunks on their way to clients: packed on a thread of its own, for gzip costs more than a tick has to spare.

use crate::limits::{CHUNK_JOBS_MAX, PACKED_CHUNKS_MAX};
use crate::outgoing::Outgoing;
use crate::subprotocol::Subprotocol;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::{Compression, write::GzEncoder};
use protocol::{ServerMessage, v2};
use sim::voxel::{Chunk, ChunkId};
use sim::{Settings, generate};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio_tungstenite::tungstenite::Message;

/// One chunk for one client.
#[derive(Debug)]
pub struct Job {
    /// Which.
    pub id: ChunkId,
    /// As it stands; `None` where the world has none yet.
    pub chunk: Option<Arc<Chunk>>,
    /// What would be made there.
    pub settings: Settings,
    /// The version that the client has; it is told nothing when there is no other.
    pub known: u64,
    /// How the client is spoken with.
    pub subprotocol: Subprotocol,
    /// Where it goes.
    pub outgoing: Outgoing,
}

/// Where the game loop leaves its jobs.
#[derive(Debug, Clone)]
pub struct Packer(SyncSender<Job>);

impl Packer {
    /// A queue, and its other end for [`pack`].
    pub fn queue() -> (Self, Receiver<Job>) {
        let (sender, jobs) = sync_channel(CHUNK_JOBS_MAX);
        (Self(sender), jobs)
    }

    /// Never waits. Whether there was room.
    pub fn send(&self, job: Job) -> bool {
        self.0.try_send(job).is_ok()
    }
}

/// Packs and sends until the queue has no sender any more. Keeps what it has packed, for all who come want the same.
pub fn pack(jobs: &Receiver<Job>) {
    let mut packed: BTreeMap<(ChunkId, Subprotocol), (u32, Message)> = BTreeMap::new();
    for Job { id, chunk, settings, known, subprotocol, outgoing } in jobs {
        // A chunk that nobody was near to is what its seed says: the same that will be made when somebody is.
        let chunk = chunk.unwrap_or_else(|| Arc::new(generate::chunk(settings.generation, settings.seed, id).unwrap_or_else(Chunk::air)));
        // Also the answer to who knows version 0: nothing is there.
        if u64::from(chunk.version()) == known {
            continue;
        }
        let kept = packed.get(&(id, subprotocol)).filter(|(version, _)| *version == chunk.version());
        let frame = match kept {
            Some((_, frame)) => frame.clone(),
            None => {
                if packed.len() >= PACKED_CHUNKS_MAX {
                    packed.clear();
                }
                let frame = frame(id, &chunk, subprotocol);
                packed.insert((id, subprotocol), (chunk.version(), frame.clone()));
                frame
            }
        };
        outgoing.send_one(frame);
    }
}

fn frame(id: ChunkId, chunk: &Chunk, subprotocol: Subprotocol) -> Message {
    match subprotocol {
        Subprotocol::Json => subprotocol.encode(&message(id, chunk)),
        Subprotocol::Binary => Message::binary(v2::encode_chunk(id.0, chunk.hash(), &chunk.encode())),
    }
}

fn message(id: ChunkId, chunk: &Chunk) -> ServerMessage {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&*chunk.to_voxels()).expect("memory takes all");
    let data = BASE64_STANDARD.encode(gzip.finish().expect("memory takes all"));
    ServerMessage::ChunkData { chunk_id: id.0, version: chunk.version().into(), data, compressed: true }
}
