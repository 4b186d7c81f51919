;; => runs; on-cast: Say { text: "    ", aloud: true }, Say { text: "    ", aloud: true }, SetTimer { token: 6, ticks: 1 }
;; Says without end, until a call is refused: 2 a call.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (call $say (i32.const 16) (i32.const 4) (i32.const 1) (i32.const 64))
        (br_if $again (i32.eqz (i32.load8_u (i32.const 64)))))
    (call $report (i32.const 64)))
