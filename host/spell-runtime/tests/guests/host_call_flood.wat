;; => fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed; its last call was fuel-left
;; Calls the cheapest import without end: host work costs fuel.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (drop (call $fuel_left))
        (br $again)))
