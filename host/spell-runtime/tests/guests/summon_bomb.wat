;; => runs; on-cast: 17 intents, Summon { id: 100, npc: Npc { temper: Guard, position: [0.0, 1.9, -3.0], aim: [0.0, 0.0, -1.0] } } first
;; Seventeen NPCs in one call: the last is refused (2).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32) (local $i i32)
    (loop $again (call $summon (i32.const 1) (f32.const 0) (f32.const 1.9) (f32.const -3) (f32.const 0) (f32.const 0) (f32.const -1) (i32.const 64)) (call $report (i32.const 64)) (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 17)))))
