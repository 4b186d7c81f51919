//! Says when what is embedded has changed: the macro sees the files that there were, not those that are new.

fn main() {
    println!("cargo::rerun-if-changed=../client/dist");
    println!("cargo::rerun-if-changed=../docs/screenshots");
}
