;; => fault length (4096 allowed, 1152921504606847000 asked): on-cast: asked for 1152921504606846976 bytes of randomness in one call: 4096 are allowed
;; Asks for 2^60 random bytes at once.
(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $random (i64.const 1152921504606846976) (i32.const 64)))
