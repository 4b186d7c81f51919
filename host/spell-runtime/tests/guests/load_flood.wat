;; => fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed; its last call was load
;; Reads without end.
;; envelope: all
(memory (export "memory") 1)
(data (i32.const 16) "kept")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (call $load (i32.const 1) (i32.const 16) (i32.const 4) (i32.const 64))
        (br $again)))
