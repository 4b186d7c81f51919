;; => fault memory (1048576 allowed, 4294967296 asked): on-cast: asked for 4294967296 bytes of memory: 1048576 are allowed
;; Asks for 4 GiB at once, then aborts.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (drop (memory.grow (i32.const 65535)))
    (unreachable))
