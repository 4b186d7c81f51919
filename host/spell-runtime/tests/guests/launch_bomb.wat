;; => runs; on-cast: 17 intents, Launch { id: 100, projectile: Projectile { start: [0.0, 2.0, 0.0], velocity: [0.0, 0.0, -20.0], radius: 0.3, gravity: 0.0, seconds: 3.0, damage: 0.0 }, flight: Flight { restitution: 0.0, bounces: 0, pierces: 0, homing: None } } first
;; Launches without end: 16 a call, and the rest is refused.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (call $launch (f32.const 0) (f32.const 2) (f32.const 0) (f32.const 0) (f32.const 0) (f32.const -20) (f32.const 0.3) (f32.const 0) (f32.const 3) (f32.const 0) (i32.const 64))
        (br_if $again (i32.eqz (i32.load8_u (i32.const 64)))))
    (call $report (i32.const 64)))
