//! The imports themselves. Each charges before it works; what cannot happen here, such as reading a file, is linked and ends the cast.

use super::{NS_PER_SECOND, RESOLUTION_NS, Stop, Stream, check_random, check_write, now_ns, poll, prices};
use crate::abi::since_v0_1_0::calls::{Caller, charge};
use crate::desk::Desk;
use crate::limits::{WASI_POLL_MAX, WASI_WRITE_BYTES_MAX};
use wasmtime::Result;
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType, WasmList};

/// Any other 0.2.x is taken for this one by wasmtime: since 0.2.0 the interfaces have only grown.
const VERSION: &str = "0.2.6";

// The kinds of handles. None of them is ever made, for what a handle stands for is in `Wasi`.
enum Pollable {}
enum InputStream {}
enum OutputStream {}
// Those that no guest ever holds.
enum IoError {}
enum TerminalInput {}
enum TerminalOutput {}
enum Descriptor {}
enum DirectoryEntryStream {}

#[derive(ComponentType, Lower, Lift)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[allow(dead_code, reason = "a part of the type; no operation fails that way")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lower, Lift)]
#[component(record)]
struct Datetime {
    #[component(name = "seconds")]
    seconds: u64,
    #[component(name = "nanoseconds")]
    nanoseconds: u32,
}

type Streamed<T> = (std::result::Result<T, StreamError>,);

/// Offers all of [`super::INTERFACES`].
pub(crate) fn add_to_linker(linker: &mut Linker<Desk>) -> Result<()> {
    add_poll(&mut interface(linker, "wasi:io/poll")?)?;
    add_error(&mut interface(linker, "wasi:io/error")?)?;
    add_input(&mut interface(linker, "wasi:io/streams")?)?;
    add_output(&mut interface(linker, "wasi:io/streams")?)?;
    add_monotonic_clock(&mut interface(linker, "wasi:clocks/monotonic-clock")?)?;
    add_wall_clock(&mut interface(linker, "wasi:clocks/wall-clock")?)?;
    add_random(&mut interface(linker, "wasi:random/random")?, ["get-random-bytes", "get-random-u64"])?;
    add_random(&mut interface(linker, "wasi:random/insecure")?, ["get-insecure-random-bytes", "get-insecure-random-u64"])?;
    add_seed(&mut interface(linker, "wasi:random/insecure-seed")?)?;
    add_environment(&mut interface(linker, "wasi:cli/environment")?)?;
    add_exit(&mut interface(linker, "wasi:cli/exit")?)?;
    add_standard_streams(linker)?;
    add_terminals(linker)?;
    add_filesystem(linker)
}

fn interface<'a>(linker: &'a mut Linker<Desk>, name: &str) -> Result<LinkerInstance<'a, Desk>> {
    linker.instance(&format!("{name}@{VERSION}"))
}

fn add_poll(poll_interface: &mut LinkerInstance<'_, Desk>) -> Result<()> {
    poll_interface.resource("pollable", ResourceType::host::<Pollable>(), |mut store, handle| {
        charge(&mut store, prices::CALL)?;
        store.data_mut().wasi.drop_pollable(handle);
        Ok(())
    })?;
    poll_interface.func_wrap("[method]pollable.ready", |mut store: Caller<'_>, (pollable,): (Resource<Pollable>,)| {
        charge(&mut store, prices::CALL)?;
        let desk = store.data();
        Ok((desk.wasi.ready_ns(pollable.rep())? <= now_ns(desk.tick()),))
    })?;
    poll_interface.func_wrap("[method]pollable.block", |mut store: Caller<'_>, (pollable,): (Resource<Pollable>,)| {
        charge(&mut store, prices::CALL)?;
        let desk = store.data();
        poll(now_ns(desk.tick()), &[desk.wasi.ready_ns(pollable.rep())?])?;
        Ok(())
    })?;
    poll_interface.func_wrap("poll", |mut store: Caller<'_>, (list,): (WasmList<Resource<Pollable>>,)| {
        charge(&mut store, prices::LIST)?;
        if list.len() > WASI_POLL_MAX {
            return Err(Stop::Poll(list.len()).into());
        }
        charge(&mut store, prices::POLL_EACH * list.len() as u64)?;
        let handles = (0..list.len()).filter_map(|index| list.get(&mut store, index)).collect::<Result<Vec<_>>>()?;
        let desk = store.data();
        let ready_ns = handles.iter().map(|handle| desk.wasi.ready_ns(handle.rep())).collect::<Result<Vec<u64>, Stop>>()?;
        Ok((poll(now_ns(desk.tick()), &ready_ns)?,))
    })
}

fn add_error(error: &mut LinkerInstance<'_, Desk>) -> Result<()> {
    never(error, "error", ResourceType::host::<IoError>(), &["[method]error.to-debug-string"])
}

/// The standard input, which has ended.
fn add_input(streams: &mut LinkerInstance<'_, Desk>) -> Result<()> {
    streams.resource("input-stream", ResourceType::host::<InputStream>(), drop_stream)?;
    for name in ["[method]input-stream.read", "[method]input-stream.blocking-read"] {
        streams.func_wrap(name, |mut store: Caller<'_>, _: (Resource<InputStream>, u64)| -> Result<Streamed<Vec<u8>>> {
            closed(&mut store)
        })?;
    }
    for name in ["[method]input-stream.skip", "[method]input-stream.blocking-skip"] {
        streams
            .func_wrap(name, |mut store: Caller<'_>, _: (Resource<InputStream>, u64)| -> Result<Streamed<u64>> { closed(&mut store) })?;
    }
    streams.func_wrap("[method]input-stream.subscribe", |mut store: Caller<'_>, _: (Resource<InputStream>,)| subscribe(&mut store, |_| 0))
}

fn add_output(streams: &mut LinkerInstance<'_, Desk>) -> Result<()> {
    streams.resource("output-stream", ResourceType::host::<OutputStream>(), drop_stream)?;
    streams.func_wrap(
        "[method]output-stream.check-write",
        |mut store: Caller<'_>, _: (Resource<OutputStream>,)| -> Result<Streamed<u64>> {
            charge(&mut store, prices::CALL)?;
            Ok((Ok(WASI_WRITE_BYTES_MAX as u64),))
        },
    )?;
    for name in ["[method]output-stream.write", "[method]output-stream.blocking-write-and-flush"] {
        streams.func_wrap(name, |mut store: Caller<'_>, (stream, bytes): (Resource<OutputStream>, WasmList<u8>)| {
            write(&mut store, &stream, &bytes)
        })?;
    }
    // What is written is kept at once: there is nothing to flush, and a line that is not ended is no line yet.
    for name in ["[method]output-stream.flush", "[method]output-stream.blocking-flush"] {
        streams.func_wrap(name, |mut store: Caller<'_>, _: (Resource<OutputStream>,)| -> Result<Streamed<()>> {
            charge(&mut store, prices::CALL)?;
            Ok((Ok(()),))
        })?;
    }
    // Zeroes are nothing that a log could show.
    for name in ["[method]output-stream.write-zeroes", "[method]output-stream.blocking-write-zeroes-and-flush"] {
        streams.func_wrap(name, |mut store: Caller<'_>, (_, length): (Resource<OutputStream>, u64)| -> Result<Streamed<()>> {
            charge(&mut store, prices::CALL)?;
            check_write(length)?;
            Ok((Ok(()),))
        })?;
    }
    for name in ["[method]output-stream.splice", "[method]output-stream.blocking-splice"] {
        type Splice = (Resource<OutputStream>, Resource<InputStream>, u64);
        streams.func_wrap(name, |mut store: Caller<'_>, _: Splice| -> Result<Streamed<u64>> { closed(&mut store) })?;
    }
    streams.func_wrap("[method]output-stream.subscribe", |mut store: Caller<'_>, _: (Resource<OutputStream>,)| subscribe(&mut store, |_| 0))
}

fn add_monotonic_clock(clock: &mut LinkerInstance<'_, Desk>) -> Result<()> {
    clock.func_wrap("now", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::CALL)?;
        Ok((now_ns(store.data().tick()),))
    })?;
    clock.func_wrap("resolution", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::CALL)?;
        Ok((RESOLUTION_NS,))
    })?;
    clock.func_wrap("subscribe-instant", |mut store: Caller<'_>, (when,): (u64,)| subscribe(&mut store, |_| when))?;
    clock.func_wrap("subscribe-duration", |mut store: Caller<'_>, (duration,): (u64,)| {
        subscribe(&mut store, |now| now.saturating_add(duration))
    })
}

/// The same clock: the world's first tick is the epoch.
fn add_wall_clock(clock: &mut LinkerInstance<'_, Desk>) -> Result<()> {
    let datetime = |ns: u64| Datetime { seconds: ns / NS_PER_SECOND, nanoseconds: (ns % NS_PER_SECOND) as u32 };
    clock.func_wrap("now", move |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::CALL)?;
        Ok((datetime(now_ns(store.data().tick())),))
    })?;
    clock.func_wrap("resolution", move |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::CALL)?;
        Ok((datetime(RESOLUTION_NS),))
    })
}

fn add_random(random: &mut LinkerInstance<'_, Desk>, [bytes, number]: [&str; 2]) -> Result<()> {
    random.func_wrap(bytes, |mut store: Caller<'_>, (length,): (u64,)| {
        charge(&mut store, prices::LIST)?;
        check_random(length)?;
        charge(&mut store, prices::RANDOM_BYTE * length)?;
        Ok((store.data_mut().wasi.random_bytes(length),))
    })?;
    random.func_wrap(number, |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::CALL)?;
        Ok((store.data_mut().wasi.random.next(),))
    })
}

fn add_seed(seed: &mut LinkerInstance<'_, Desk>) -> Result<()> {
    seed.func_wrap("insecure-seed", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::CALL)?;
        let random = &mut store.data_mut().wasi.random;
        Ok(((random.next(), random.next()),))
    })
}

/// No variables, no arguments, no working directory.
fn add_environment(environment: &mut LinkerInstance<'_, Desk>) -> Result<()> {
    environment.func_wrap("get-environment", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::LIST)?;
        Ok((Vec::<(String, String)>::new(),))
    })?;
    environment.func_wrap("get-arguments", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::LIST)?;
        Ok((Vec::<String>::new(),))
    })?;
    environment.func_wrap("initial-cwd", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::CALL)?;
        Ok((None::<String>,))
    })
}

fn add_exit(exit: &mut LinkerInstance<'_, Desk>) -> Result<()> {
    exit.func_wrap("exit", |_: Caller<'_>, (status,): (std::result::Result<(), ()>,)| -> Result<()> {
        Err(Stop::Exit(u8::from(status.is_err())).into())
    })?;
    exit.func_wrap("exit-with-code", |_: Caller<'_>, (code,): (u8,)| -> Result<()> { Err(Stop::Exit(code).into()) })
}

fn add_standard_streams(linker: &mut Linker<Desk>) -> Result<()> {
    interface(linker, "wasi:cli/stdin")?.func_wrap("get-stdin", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::HANDLE)?;
        store.data_mut().wasi.take_handle()?;
        Ok((Resource::<InputStream>::new_own(0),))
    })?;
    for (name, function, stream) in [("wasi:cli/stdout", "get-stdout", Stream::Out), ("wasi:cli/stderr", "get-stderr", Stream::Err)] {
        interface(linker, name)?.func_wrap(function, move |mut store: Caller<'_>, (): ()| {
            charge(&mut store, prices::HANDLE)?;
            store.data_mut().wasi.take_handle()?;
            Ok((Resource::<OutputStream>::new_own(stream as u32),))
        })?;
    }
    Ok(())
}

/// Nothing is a terminal.
fn add_terminals(linker: &mut Linker<Desk>) -> Result<()> {
    never(&mut interface(linker, "wasi:cli/terminal-input")?, "terminal-input", ResourceType::host::<TerminalInput>(), &[])?;
    never(&mut interface(linker, "wasi:cli/terminal-output")?, "terminal-output", ResourceType::host::<TerminalOutput>(), &[])?;
    interface(linker, "wasi:cli/terminal-stdin")?.func_wrap("get-terminal-stdin", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::CALL)?;
        Ok((None::<Resource<TerminalInput>>,))
    })?;
    for (name, function) in [("wasi:cli/terminal-stdout", "get-terminal-stdout"), ("wasi:cli/terminal-stderr", "get-terminal-stderr")] {
        interface(linker, name)?.func_wrap(function, |mut store: Caller<'_>, (): ()| {
            charge(&mut store, prices::CALL)?;
            Ok((None::<Resource<TerminalOutput>>,))
        })?;
    }
    Ok(())
}

/// No folder is open, and a file is opened from a folder: no descriptor can ever exist. Its methods are there to be linked.
fn add_filesystem(linker: &mut Linker<Desk>) -> Result<()> {
    interface(linker, "wasi:filesystem/preopens")?.func_wrap("get-directories", |mut store: Caller<'_>, (): ()| {
        charge(&mut store, prices::LIST)?;
        Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
    })?;
    let mut types = interface(linker, "wasi:filesystem/types")?;
    never(&mut types, "descriptor", ResourceType::host::<Descriptor>(), &DESCRIPTOR_METHODS)?;
    let read = "[method]directory-entry-stream.read-directory-entry";
    never(&mut types, "directory-entry-stream", ResourceType::host::<DirectoryEntryStream>(), &[read])?;
    never_called(&mut types, "filesystem-error-code")
}

const DESCRIPTOR_METHODS: [&str; 27] = [
    "[method]descriptor.read-via-stream",
    "[method]descriptor.write-via-stream",
    "[method]descriptor.append-via-stream",
    "[method]descriptor.advise",
    "[method]descriptor.sync-data",
    "[method]descriptor.get-flags",
    "[method]descriptor.get-type",
    "[method]descriptor.set-size",
    "[method]descriptor.set-times",
    "[method]descriptor.read",
    "[method]descriptor.write",
    "[method]descriptor.read-directory",
    "[method]descriptor.sync",
    "[method]descriptor.create-directory-at",
    "[method]descriptor.stat",
    "[method]descriptor.stat-at",
    "[method]descriptor.set-times-at",
    "[method]descriptor.link-at",
    "[method]descriptor.open-at",
    "[method]descriptor.readlink-at",
    "[method]descriptor.remove-directory-at",
    "[method]descriptor.rename-at",
    "[method]descriptor.symlink-at",
    "[method]descriptor.unlink-file-at",
    "[method]descriptor.is-same-object",
    "[method]descriptor.metadata-hash",
    "[method]descriptor.metadata-hash-at",
];

/// A kind of handle that no guest ever holds, and its methods, which nobody can call without one.
fn never(interface: &mut LinkerInstance<'_, Desk>, kind: &str, of: ResourceType, methods: &[&str]) -> Result<()> {
    interface.resource(kind, of, |_, _| Err(Stop::NoSuchHandle.into()))?;
    methods.iter().try_for_each(|method| never_called(interface, method))
}

/// Whatever type the component gives it: the call ends before anything comes of it.
fn never_called(interface: &mut LinkerInstance<'_, Desk>, name: &str) -> Result<()> {
    interface.func_new(name, |_, _, _, _| Err(Stop::NoSuchHandle.into()))
}

fn drop_stream(mut store: Caller<'_>, _: u32) -> Result<()> {
    charge(&mut store, prices::CALL)?;
    store.data_mut().wasi.drop_handle();
    Ok(())
}

fn closed<T>(store: &mut Caller<'_>) -> Result<Streamed<T>> {
    charge(store, prices::CALL)?;
    Ok((Err(StreamError::Closed),))
}

fn subscribe(store: &mut Caller<'_>, ready_ns: impl FnOnce(u64) -> u64) -> Result<(Resource<Pollable>,)> {
    charge(store, prices::HANDLE)?;
    let desk = store.data_mut();
    let ready_ns = ready_ns(now_ns(desk.tick()));
    Ok((Resource::new_own(desk.wasi.subscribe(ready_ns)?),))
}

/// The bytes stay in the guest's memory until their number is checked and charged.
fn write(store: &mut Caller<'_>, stream: &Resource<OutputStream>, bytes: &WasmList<u8>) -> Result<Streamed<()>> {
    charge(store, prices::CALL)?;
    check_write(bytes.len() as u64)?;
    charge(store, prices::WRITE_BYTE * bytes.len() as u64)?;
    let stream = if stream.rep() == Stream::Out as u32 { Stream::Out } else { Stream::Err };
    let bytes = bytes.as_le_slice(&*store).to_vec();
    let cost = store.data().cost_of(stream, &bytes);
    charge(store, prices::LINE * cost.lines + prices::KEPT_BYTE * cost.kept)?;
    store.data_mut().write_out(stream, &bytes);
    Ok((Ok(()),))
}
