;; => fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed; its last call was terraform
;; Edits until the fuel is gone.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again (drop (i32.const 0)) (call $terraform (i32.const 0) (i32.reinterpret_f32 (f32.const 0.5)) (i32.reinterpret_f32 (f32.const 1.5)) (i32.reinterpret_f32 (f32.const -4.5)) (i32.reinterpret_f32 (f32.const 0.5)) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64)) (br $again)))
