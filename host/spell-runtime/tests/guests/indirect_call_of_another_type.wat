;; => fault indirect_call (0 allowed, 0 asked): on-cast: called a function that is not there: wasm trap: indirect call type mismatch
;; Calls a function through a slot of another type.
(table $t funcref (elem $f))
(func $f (param i32))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call_indirect $t (i32.const 0)))
