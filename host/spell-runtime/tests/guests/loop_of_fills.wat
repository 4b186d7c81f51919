;; => fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed
;; Fills all of its memory again and again: a bulk instruction is charged by its size.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))
        (br $again)))
