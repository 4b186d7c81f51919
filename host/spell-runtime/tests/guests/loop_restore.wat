;; => fault fuel (1000000 allowed, 0 asked): restore: ran out of fuel: 1000000 was allowed
;; Never returns from restore.
(func (export "ugc:spell/hooks@0.1.0#restore") (param i32 i32 i32) (result i32) (loop $again (br $again)) (unreachable))
