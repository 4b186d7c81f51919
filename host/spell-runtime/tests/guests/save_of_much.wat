;; => fault length (32768 allowed, 40000 asked): save: saved 40000 bytes: 32768 are allowed
;; Saves 40,000 bytes.
(func (export "ugc:spell/hooks@0.1.0#save") (result i32)
    (i64.store (i32.const 512) (i64.const 0x9c40_0000_0000))
    (i32.const 512))
