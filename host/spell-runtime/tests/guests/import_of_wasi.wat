;; => refused: import: imports wasi_snapshot_preview1.fd_write: not part of ugc:spell@0.1.0
;; A core module that wants to write to files.
(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
