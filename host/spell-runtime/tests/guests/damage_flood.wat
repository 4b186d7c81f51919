;; => runs; on-cast: 256 intents, Damage { target: 2, amount: 5.0 } first
;; Damages one target 300 times: 256 intents are taken, the rest refused.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32) (local i32)
    (local.set 15 (i32.const 300))
    (loop $again
        (call $damage (i64.const 2) (f32.const 5) (i32.const 64))
        (local.set 15 (i32.sub (local.get 15) (i32.const 1)))
        (br_if $again (local.get 15))))
