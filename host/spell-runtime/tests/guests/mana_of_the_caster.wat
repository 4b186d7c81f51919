;; => runs; on-cast: SetTimer { token: 1, ticks: 60 }
;; Reads the caster's mana, 60, and sets a timer of so many ticks.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $mana (i32.const 64))
    (call $set_timer (i32.load8_u (i32.const 64)) (i32.trunc_f32_u (f32.load (i32.const 68))) (i32.const 96)))
