;; => runs; on-cast: Terraform { area: Ball { center: [0.5, 1.5, -4.5], radius: 0.5 }, change: Fill(1), voxels: 1 }
;; Fills one voxel with stone.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $terraform (i32.const 0) (i32.reinterpret_f32 (f32.const 0.5)) (i32.reinterpret_f32 (f32.const 1.5)) (i32.reinterpret_f32 (f32.const -4.5)) (i32.reinterpret_f32 (f32.const 0.5)) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 64))
    (call $report (i32.const 64)))
