;; => fault table (1024 allowed, 1101 asked): on-cast: asked for a table of 1101 elements: 1024 are allowed
;; Grows a table until that is refused, then aborts.
(table $t 1 funcref)
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 100)) (i32.const -1))))
    (unreachable))
