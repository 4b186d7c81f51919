;; => fault stack (262144 allowed, 0 asked): on-cast: used more than 262144 bytes of stack: recursion without an end?
;; Calls itself without end.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (drop (call $deeper (i32.const 0))))
(func $deeper (param i32) (result i32)
    (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
