;; => runs; on-cast: 16 intents, SetTimer { token: 1, ticks: 1 } first
;; Sets timers without end: 16 a call.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (call $set_timer (i32.const 1) (i32.const 1) (i32.const 64))
        (br_if $again (i32.eqz (i32.load8_u (i32.const 64))))))
