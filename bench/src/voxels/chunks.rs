//! Chunks as bytes: our packed form, alone and with zstd behind it, against gzip and zstd of the raw voxels.

use crate::clock;
use crate::dice::Dice;
use crate::hills;
use crate::report::{Report, Row, Samples, interleave};
use anyhow::{Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use sim::voxel::{AIR, CHUNK_EDGE, CHUNK_VOXELS, Chunk, FLOOR, Terrain};
use std::hint::black_box;
use std::io::Write;

const ROUNDS: usize = 7;
const SEED: u64 = 7;
/// Times that each chunk is packed in a round.
const REPEATS: usize = 4;
/// zstd's own default, and what a save would take.
const ZSTD_LEVEL: i32 = 3;

type Voxels = Box<[u8; CHUNK_VOXELS]>;
/// Key prefix and chunks.
struct Kind {
    name: &'static str,
    keys: [&'static str; 5],
    chunks: Vec<Voxels>,
}

/// Adds the figures, and draws them.
pub fn measure(report: &mut Report) -> Result<()> {
    let mut bars = Vec::new();
    for kind in kinds() {
        round_trip(&kind)?;
        bars.extend(measure_kind(report, &kind)?);
    }
    let bars: Vec<_> = bars.iter().map(|(name, samples)| (name.as_str(), samples)).collect();
    report.bars("voxels", "Bytes of a chunk: ours, and its packed form", "bytes", &bars)
}

fn measure_kind(report: &mut Report, kind: &Kind) -> Result<Vec<(String, Samples)>> {
    let bytes = |pack: &dyn Fn(&Voxels) -> Vec<u8>| {
        Samples::new(vec![kind.chunks.iter().map(|voxels| pack(voxels).len() as f64).sum::<f64>() / kind.chunks.len() as f64])
    };
    let time = |pack: &dyn Fn(&Voxels) -> Vec<u8>| {
        let start = clock::now();
        for _ in 0..REPEATS {
            kind.chunks.iter().for_each(|voxels| _ = black_box(pack(black_box(voxels))));
        }
        clock::ms(start, clock::now()) * 1e3 / (REPEATS * kind.chunks.len()) as f64
    };
    let [plain, with_zstd, zstd, gzip] = interleave(
        ROUNDS,
        &mut [
            (kind.name, &mut || time(&ours)),
            ("ours and zstd", &mut || time(&ours_and_zstd)),
            ("zstd", &mut || time(&zstd_of_raw)),
            ("gzip", &mut || time(&gzip_of_raw)),
        ],
    )
    .try_into()
    .map_err(|_| anyhow::anyhow!("four contenders"))?;
    let how = format!("{} chunks of {}, from 32 KiB of voxels; zstd level {ZSTD_LEVEL}, gzip level 6", kind.chunks.len(), kind.name);
    let [bytes_key, speed_key, plain_key, plain_speed_key, gzip_key] = kind.keys;
    let row =
        |samples: &Samples, other: &Samples, name: &str, key, unit, aim| -> Row { samples.against(other, name, key, unit, aim, &how) };
    let sizes = [bytes(&ours), bytes(&ours_and_zstd), bytes(&zstd_of_raw), bytes(&gzip_of_raw)];
    report.extend([
        row(&sizes[1], &sizes[2], "zstd of raw; ours is packed, then zstd", bytes_key, "bytes", "1x"),
        row(&with_zstd, &zstd, "zstd of raw; ours is packed, then zstd", speed_key, "us", "1x"),
        row(&sizes[0], &sizes[2], "zstd of raw; ours is packed only", plain_key, "bytes", ""),
        row(&plain, &zstd, "zstd of raw; ours is packed only", plain_speed_key, "us", ""),
        row(&with_zstd, &gzip, "gzip of raw; ours is packed, then zstd", gzip_key, "us", ""),
    ]);
    let names = ["ours", "ours, zstd", "zstd of raw", "gzip of raw"];
    Ok(names.into_iter().zip(sizes).map(|(name, samples)| (format!("{}: {name}", kind.name), samples)).collect())
}

fn ours(voxels: &Voxels) -> Vec<u8> {
    Chunk::from_voxels(voxels, 1).encode()
}

fn ours_and_zstd(voxels: &Voxels) -> Vec<u8> {
    zstd::bulk::compress(&ours(voxels), ZSTD_LEVEL).expect("memory is enough")
}

fn zstd_of_raw(voxels: &Voxels) -> Vec<u8> {
    zstd::bulk::compress(voxels.as_slice(), ZSTD_LEVEL).expect("memory is enough")
}

fn gzip_of_raw(voxels: &Voxels) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(6));
    gzip.write_all(voxels.as_slice()).and_then(|()| gzip.finish()).expect("writing to memory")
}

/// What was packed comes back.
fn round_trip(kind: &Kind) -> Result<()> {
    for voxels in &kind.chunks {
        let packed = zstd::bulk::decompress(&ours_and_zstd(voxels), 2 * CHUNK_VOXELS)?;
        ensure!(Chunk::decode(&packed)?.to_voxels() == *voxels, "a chunk of {} does not come back", kind.name);
    }
    Ok(())
}

fn kinds() -> [Kind; 4] {
    let hills = voxels_of(&hills::walled(SEED, 2));
    let mut dice = Dice(SEED);
    let edited = hills.iter().cloned().map(|voxels| dug(voxels, &mut dice)).collect();
    let mut random = |_: usize| {
        let mut voxels = Box::new([AIR; CHUNK_VOXELS]);
        voxels.iter_mut().for_each(|voxel| *voxel = (dice.unit() * 10.0) as u8);
        voxels
    };
    let random = (0..8).map(&mut random).collect();
    [
        Kind {
            name: "floor",
            keys: [
                "chunk_floor.vs_zstd_bytes",
                "chunk_floor.vs_zstd_speed",
                "chunk_floor.packed_vs_zstd_bytes",
                "chunk_floor.packed_vs_zstd_speed",
                "chunk_floor.vs_gzip_speed",
            ],
            chunks: voxels_of(&Terrain::floor()).into_iter().take(1).collect(),
        },
        Kind {
            name: "hills",
            keys: [
                "chunk_hills.vs_zstd_bytes",
                "chunk_hills.vs_zstd_speed",
                "chunk_hills.packed_vs_zstd_bytes",
                "chunk_hills.packed_vs_zstd_speed",
                "chunk_hills.vs_gzip_speed",
            ],
            chunks: hills,
        },
        Kind {
            name: "edited hills",
            keys: [
                "chunk.vs_zstd_bytes",
                "chunk.vs_zstd_speed",
                "chunk.packed_vs_zstd_bytes",
                "chunk.packed_vs_zstd_speed",
                "chunk.vs_gzip_speed",
            ],
            chunks: edited,
        },
        Kind {
            name: "random",
            keys: [
                "chunk_random.vs_zstd_bytes",
                "chunk_random.vs_zstd_speed",
                "chunk_random.packed_vs_zstd_bytes",
                "chunk_random.packed_vs_zstd_speed",
                "chunk_random.vs_gzip_speed",
            ],
            chunks: random,
        },
    ]
}

fn voxels_of(terrain: &Terrain) -> Vec<Voxels> {
    terrain.chunks().map(|(_, chunk)| chunk.to_voxels()).collect()
}

/// Twenty balls of any material, air among them, as players leave them.
fn dug(mut voxels: Voxels, dice: &mut Dice) -> Voxels {
    for _ in 0..20 {
        let center = [0; 3].map(|_| (dice.unit() * CHUNK_EDGE as f32) as i32);
        let (radius, material) = (2 + (dice.unit() * 5.0) as i32, if dice.unit() < 0.5 { AIR } else { FLOOR + (dice.unit() * 8.0) as u8 });
        for (index, voxel) in voxels.iter_mut().enumerate() {
            let index = index as i32;
            let place = [index % CHUNK_EDGE, index / CHUNK_EDGE % CHUNK_EDGE, index / CHUNK_EDGE / CHUNK_EDGE];
            let distance: i32 = place.iter().zip(center).map(|(at, center)| (at - center).pow(2)).sum();
            if distance <= radius * radius {
                *voxel = material;
            }
        }
    }
    voxels
}
