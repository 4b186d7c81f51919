;; => runs; on-cast: Spawn { id: 100, body: Body { form: Ball(0.5), mass: 50.0, position: [0.0, 3.0, -3.0], velocity: [0.0, 0.0, 0.0] } }, Join { id: 101, joint: Joint { kind: Rope(2.0), one: 100, other: 0, at: [0.0, 5.0, -3.0], break_force: 0.0 } }
;; A body and a rope from it to the world, in one call: its id is known already.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $spawn_body (i32.const 1) (f32.const 0.5) (f32.const 0) (f32.const 0) (f32.const 50) (f32.const 0) (f32.const 3) (f32.const -3) (f32.const 0) (f32.const 0) (f32.const 0) (i32.const 64)) (call $join (i32.const 3) (f32.const 2) (f32.const 0) (f32.const 0) (i64.load (i32.const 72)) (i64.const 0) (f32.const 0) (f32.const 5) (f32.const -3) (f32.const 0) (i32.const 64))
    (call $report (i32.const 64)))
