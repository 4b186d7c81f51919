;; => fault fuel (1000000 allowed, 0 asked): save: ran out of fuel: 1000000 was allowed
;; Never returns from save.
(func (export "ugc:spell/hooks@0.1.0#save") (result i32) (loop $again (br $again)) (unreachable))
