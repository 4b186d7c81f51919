;; => refused: import: imports wasi:sockets/network@0.2.0: not part of ugc:spell@0.1.0; import: imports wasi:sockets/instance-network@0.2.0: not part of ugc:spell@0.1.0
;; Wants the network beside what is admitted.
(import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))
(import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (drop (call $network)))
