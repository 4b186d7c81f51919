//! What the kernel says of this process, or of a game server: memory that it holds, tables of pages, mappings.

use anyhow::{Context, Result};
use examples::server;
use std::fs;
use std::path::Path;

/// At one moment.
#[derive(Debug, Clone, Copy)]
pub struct Resident {
    /// VmRSS, KiB.
    pub rss_kib: f64,
    /// VmPTE: what the kernel keeps to find them, KiB. It is in no VmRSS.
    pub tables_kib: f64,
    /// Lines of /proc/self/maps.
    pub mappings: f64,
}

impl Resident {
    /// Now.
    pub fn now() -> Result<Self> {
        Self::of("self")
    }

    /// Now, of the process of this number.
    pub fn of(process: &str) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let kib = |name: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("the kernel tells no {name}"))?;
            Ok(line.trim().trim_end_matches(" kB").parse()?)
        };
        let mappings = fs::read_to_string(format!("/proc/{process}/maps"))?.lines().count() as f64;
        Ok(Self { rss_kib: kib("VmRSS:")?, tables_kib: kib("VmPTE:")?, mappings })
    }
}

/// Seconds of processor time that a process has taken so far, all its threads together.
pub fn cpu_seconds(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // Its name, in brackets, may have spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The number of the process that is the game server of this world, whoever its parent is.
pub fn game_server(world: &str) -> Result<String> {
    let name = server::shipped("ugc-host")?;
    let is_it = |folder: &Path| {
        let command = fs::read(folder.join("cmdline")).unwrap_or_default();
        let mut words = command.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        words.next().is_some_and(|program| Path::new(&*program) == name) && words.any(|word| word == world)
    };
    let process = fs::read_dir("/proc")?.flatten().find(|entry| is_it(&entry.path()));
    let process = process.with_context(|| format!("no game server of {world} runs"))?;
    Ok(process.file_name().to_string_lossy().into_owned())
}
