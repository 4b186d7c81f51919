;; => fault fuel (1000000 allowed, 0 asked): on-tick: ran out of fuel: 1000000 was allowed
;; Never returns from on-tick.
(func (export "ugc:spell/hooks@0.1.0#on-tick") (param f32) (loop $again (br $again)))
