;; => runs; on-cast: SetTimer { token: 2, ticks: 1 }
;; Asks for all within 60 m: two, for the third is beyond the envelope. Reports their number as a timer.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $find (i32.const 0) (f32.const 0) (f32.const 1.9) (f32.const 0) (f32.const 60) (f32.const 0) (f32.const 0) (f32.const 0) (f32.const 0) (i32.const 15) (i32.const 16) (i32.const 64))
    (call $report (i32.const 64))
    (call $set_timer (i32.load offset=12 (i32.const 64)) (i32.const 1) (i32.const 904)))
