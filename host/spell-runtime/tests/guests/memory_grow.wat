;; => fault memory (1048576 allowed, 1114112 asked): on-cast: asked for 1114112 bytes of memory: 1048576 are allowed
;; Grows its memory until that is refused, then aborts as an allocator does.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (unreachable))
