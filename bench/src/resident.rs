//! What the kernel says of this process: memory that it holds, tables of pages, mappings.

use anyhow::{Context, Result};

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
        let status = std::fs::read_to_string("/proc/self/status")?;
        let kib = |name: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("the kernel tells no {name}"))?;
            Ok(line.trim().trim_end_matches(" kB").parse()?)
        };
        let mappings = std::fs::read_to_string("/proc/self/maps")?.lines().count() as f64;
        Ok(Self { rss_kib: kib("VmRSS:")?, tables_kib: kib("VmPTE:")?, mappings })
    }
}
