#!/usr/bin/env bash
# Builds sundial.wasm and metronome.wasm anew. The tests read the ones that are checked in, so nobody needs these tools who does not change the sources:
# rustup's target wasm32-wasip2, zig 0.17 (`pip install ziglang`), wasm-tools (`cargo install wasm-tools`), and wasi_snapshot_preview1.reactor.wasm of the
# crate wasi-preview1-component-adapter-provider 50, whose path is the first argument.
set -euo pipefail
adapter=$(realpath "${1:?the path of wasi_snapshot_preview1.reactor.wasm}")
cd "$(dirname "$0")"
zig=${ZIG:-python3 -m ziglang}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# rustc's stack of 1 MiB is all the memory that a cast may have.
(cd rust && RUSTFLAGS="-C link-arg=-zstack-size=65536 --remap-path-prefix=$HOME=/home" \
  cargo build --locked --release --target wasm32-wasip2 --target-dir "$scratch/rust")
cp "$scratch/rust/wasm32-wasip2/release/sundial.wasm" sundial.wasm

$zig cc -target wasm32-wasi -mexec-model=reactor -Os -s -Wl,-z,stack-size=65536 c/metronome.c -o "$scratch/core.wasm"
wasm-tools component embed ../../../../wit/since-v0.1.0 --world spell "$scratch/core.wasm" -o "$scratch/embedded.wasm"
wasm-tools component new "$scratch/embedded.wasm" --adapt "wasi_snapshot_preview1=$adapter" -o metronome.wasm
