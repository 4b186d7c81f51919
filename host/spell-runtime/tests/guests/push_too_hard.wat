;; => runs; on-cast: SetTimer { token: 4, ticks: 1 }
;; Pushes with 1e38 in each axis: refused as magnitude (4).
;; envelope: all
(data (i32.const 16) "\02\00\00\00\00\00\00\00")
(data (i32.const 32) "\99\76\96\7e\99\76\96\7e\99\76\96\7e")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $push (i32.const 16) (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 64))
    (call $report (i32.const 64)))
