;; => runs; on-cast: SetTimer { token: 1, ticks: 1 }
;; Pushes the dummy and one 500 m away: all or none, refused as radius (1).
;; envelope: all
(data (i32.const 16) "\02\00\00\00\00\00\00\00\03\00\00\00\00\00\00\00")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $push (i32.const 16) (i32.const 2) (i32.const 32) (i32.const 6) (i32.const 64))
    (call $report (i32.const 64)))
