;; => fault indirect_call (0 allowed, 0 asked): on-cast: called a function that is not there: wasm trap: uninitialized element
;; Calls a function through an empty table slot.
(table $t 4 funcref)
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call_indirect $t (i32.const 2)))
