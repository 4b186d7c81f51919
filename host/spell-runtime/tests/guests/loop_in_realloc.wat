;; => fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed
;; Never gives the host the memory that it asks for.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop $again (br $again)) (unreachable))
