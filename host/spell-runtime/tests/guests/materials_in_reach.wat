;; => runs
;; Reads 4,096 voxels; the list comes through realloc.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $materials (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 15) (i32.const 15) (i32.const 15) (i32.const 64))
    (call $report (i32.const 64)))
