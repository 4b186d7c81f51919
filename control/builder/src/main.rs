//! `ugc-builder`: the launcher, and what it starts.

use anyhow::{Context, bail};
use builder::limits::ORDER_BYTES_MAX;
use builder::{build, check, confine, lifeline, native, probe, smoke};
use protocol::worker::Order;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const USAGE: &str = "usage: ugc-builder build    one order as a line of JSON on standard input, events as JSON lines on standard output; stays until the input ends
       ugc-builder engine   says for which engine native code is made
       ugc-builder check [<sdk>]    says what is missing; <sdk> is by default the folder `sdk` beside this program";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    match words[..] {
        ["build"] => launch(),
        ["engine"] => {
            println!("{}", native::engine_id());
            Ok(())
        }
        ["check"] => report(&worker()?.with_file_name("sdk")),
        ["check", _] => report(Path::new(&arguments[1])),
        // The launcher's children. Not for people.
        ["native", given] => Ok(native::serve(native::Given::of(given).context("not a kind of module")?)?),
        ["smoke"] => Ok(smoke::serve()?),
        ["probe"] => {
            println!("{}", serde_json::to_string(&probe::breaches())?);
            Ok(())
        }
        ["confine", ..] => std::process::exit(confine::supervise(&arguments[1..]).unwrap_or_else(|error| not_started(&error))),
        ["confined", ..] => std::process::exit(confine::run_confined(&arguments[1..]).unwrap_or_else(|error| not_started(&error))),
        _ => bail!("{USAGE}"),
    }
}

/// One order in, events out. What it leaves in the scratch is there until the input ends.
fn launch() -> anyhow::Result<()> {
    // A session of its own, so that killing the group kills a build and all that it started. Fails when we lead a group already, which is as good.
    let _ = rustix::process::setsid();
    let mut input = BufReader::new(std::io::stdin());
    let mut text = Vec::new();
    input.by_ref().take(ORDER_BYTES_MAX as u64 + 1).read_until(b'\n', &mut text)?;
    if text.len() > ORDER_BYTES_MAX {
        bail!("order has more than {ORDER_BYTES_MAX} bytes");
    }
    let order: Order = serde_json::from_slice(&text).context("order does not parse")?;
    let worker = worker()?;
    // Made here, so that it is never there without somebody who takes it away.
    std::fs::DirBuilder::new().mode(0o700).create(&order.scratch).context("the scratch cannot be made")?;
    let lifeline = lifeline::hold(input, &order.scratch);
    let built = build(&order, &worker, &mut |event| {
        // Nobody listens any more: then there is nobody to tell, and the build is over soon.
        if let Ok(mut line) = serde_json::to_vec(event) {
            line.push(b'\n');
            let mut stdout = std::io::stdout().lock();
            drop(stdout.write_all(&line).and_then(|()| stdout.flush()));
        }
    });
    if let Err(error) = built {
        // A child that the lifeline has just ended is an error too, and this process must not end before all is cleared.
        lifeline::clear(&order.scratch);
        return Err(error.into());
    }
    lifeline.wait();
    Ok(())
}

/// This executable, without links: that is how it is shown to what runs confined.
fn worker() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.canonicalize()?)
}

fn report(sdk: &Path) -> anyhow::Result<()> {
    let wrong = check(sdk, &worker()?);
    for line in &wrong {
        eprintln!("{line}");
    }
    if !wrong.is_empty() {
        bail!("builds will fail: {} of the above must be mended", wrong.len());
    }
    println!("builds will work: SDK and compiler are in place, and the sandbox holds");
    Ok(())
}

fn not_started(error: &std::io::Error) -> i32 {
    eprintln!("{error}");
    confine::NOT_STARTED
}
