;; => fault handles (256 allowed, 257 asked): on-cast: holds 256 WASI handles and asked for another: drop those that are not needed any more
;; Asks for the standard output a million times and drops none.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get_stdout (result i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (local $count i32)
    (loop $again
        (drop (call $get_stdout))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $count) (i32.const 1000000)))))
