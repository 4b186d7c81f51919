;; => runs; on-cast: SetTimer { token: 7, ticks: 1 }
;; A message to a spell without a name: refused as length (7).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $send (i32.const 1) (i64.const 16) (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 64))
    (call $report (i32.const 64)))
