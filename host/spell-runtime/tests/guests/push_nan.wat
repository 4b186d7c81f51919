;; => runs; on-cast: SetTimer { token: 3, ticks: 1 }
;; Pushes with NaN: refused as finite (3).
;; envelope: all
(data (i32.const 16) "\02\00\00\00\00\00\00\00")
(data (i32.const 32) "\00\00\c0\7f\00\00\00\00\00\00\00\00")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $push (i32.const 16) (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 64))
    (call $report (i32.const 64)))
