;; => runs; on-cast: 5 intents, Store { drawer: Shared, key: "\0\0\0\0", value: Some([0, 0, 0, 0]) } first
;; Keeps without end, until a call is refused: 4 a call.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (call $store (i32.const 1) (i32.const 16) (i32.const 4) (i32.const 1) (i32.const 16) (i32.const 4) (i32.const 64))
        (br_if $again (i32.eqz (i32.load8_u (i32.const 64)))))
    (call $report (i32.const 64)))
