;; => fault fuel (1000000 allowed, 0 asked): on-event: ran out of fuel: 1000000 was allowed
;; Never returns from on-event.
(func (export "ugc:spell/hooks@0.1.0#on-event") (param i32 i64 i64 i64 i32 i32 f32 f32 f32) (loop $again (br $again)))
