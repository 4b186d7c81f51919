;; => runs; on-cast: Terraform { area: Block { low: [0, 0, -8], high: [7, 7, -1] }, change: Dig, voxels: 512 }, SetTimer { token: 8, ticks: 1 }
;; Twice 512 voxels, where the envelope has 1,000: the second is refused (8).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $terraform (i32.const 1) (i32.const 0) (i32.const 0) (i32.const -8) (i32.const 7) (i32.const 7) (i32.const -1) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64)) (call $report (i32.const 64)) (call $terraform (i32.const 1) (i32.const 0) (i32.const 8) (i32.const -8) (i32.const 7) (i32.const 15) (i32.const -1) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64))
    (call $report (i32.const 64)))
