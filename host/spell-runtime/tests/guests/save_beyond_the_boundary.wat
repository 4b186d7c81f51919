;; => fault host (0 allowed, 0 asked): save: the call broke the rules of the boundary: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
;; Saves 200,000 bytes, more than may cross the boundary at once.
(memory (export "memory") 4)
(func (export "ugc:spell/hooks@0.1.0#save") (result i32)
    (i64.store (i32.const 512) (i64.const 0x30d40_0000_0000))
    (i32.const 512))
