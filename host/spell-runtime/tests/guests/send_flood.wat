;; => runs; on-cast: 9 intents, Send { to: Maker(4), data: [0, 0, 0, 0] } first
;; Sends without end, until a call is refused: 8 a call.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (call $send (i32.const 0) (i64.const 4) (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 64))
        (br_if $again (i32.eqz (i32.load8_u (i32.const 64)))))
    (call $report (i32.const 64)))
