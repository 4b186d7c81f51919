;; => fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed; its last call was find
;; Asks for neighbours without end.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (call $find (i32.const 0) (f32.const 0) (f32.const 1.9) (f32.const 0) (f32.const 50) (f32.const 0) (f32.const 0) (f32.const 0) (f32.const 0)
            (i32.const 15) (i32.const 256) (i32.const 64))
        (br $again)))
