;; => runs; on-cast: Log of 1024 bytes as info
;; Logs all of its memory as one line: 1,024 bytes are kept, and a zero becomes a space.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $log (i32.const 1) (i32.const 0) (i32.const 65536)))
