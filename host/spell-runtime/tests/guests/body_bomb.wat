;; => runs; on-cast: 17 intents, Spawn { id: 100, body: Body { form: Ball(0.5), mass: 50.0, position: [0.0, 3.0, -3.0], velocity: [0.0, 0.0, 0.0] } } first
;; Seventeen bodies in one call: the last is refused (2).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32) (local $i i32)
    (loop $again (call $spawn_body (i32.const 1) (f32.const 0.5) (f32.const 0) (f32.const 0) (f32.const 50) (f32.const 0) (f32.const 3) (f32.const -3) (f32.const 0) (f32.const 0) (f32.const 0) (i32.const 64)) (call $report (i32.const 64)) (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 17)))))
