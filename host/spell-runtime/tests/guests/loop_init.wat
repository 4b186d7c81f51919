;; => fault fuel (1000000 allowed, 0 asked): init: ran out of fuel: 1000000 was allowed
;; Never returns from init.
(func (export "ugc:spell/hooks@0.1.0#init") (loop $again (br $again)))
