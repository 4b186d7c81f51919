;; => runs; on-cast: Store { drawer: Shared, key: "../../", value: Some([46, 46]) }
;; A key is a name and no path: `../../` is kept as it is.
;; envelope: all
(memory (export "memory") 1)
(data (i32.const 16) "../../")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $store (i32.const 1) (i32.const 16) (i32.const 6) (i32.const 1) (i32.const 16) (i32.const 2) (i32.const 64))
    (call $report (i32.const 64)))
