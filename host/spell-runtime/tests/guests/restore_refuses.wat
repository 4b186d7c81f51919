;; => fault restore (0 allowed, 0 asked): restore: the state was refused: "too old"
;; Refuses the state with words.
(data (i32.const 16) "too old")
(func (export "ugc:spell/hooks@0.1.0#restore") (param i32 i32 i32) (result i32)
    (i32.store8 (i32.const 520) (i32.const 1))
    (i32.store (i32.const 524) (i32.const 16))
    (i32.store (i32.const 528) (i32.const 7))
    (i32.const 520))
