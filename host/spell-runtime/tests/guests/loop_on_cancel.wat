;; => fault fuel (1000000 allowed, 0 asked): on-cancel: ran out of fuel: 1000000 was allowed
;; Never returns from on-cancel.
(func (export "ugc:spell/hooks@0.1.0#on-cancel") (param i32) (loop $again (br $again)))
