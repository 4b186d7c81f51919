;; => fault out_of_bounds (0 allowed, 0 asked): on-cast: reached outside its memory
;; Reads beyond its memory.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (drop (i32.load (i32.const 65536))))
