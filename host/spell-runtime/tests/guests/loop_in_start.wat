;; => fault fuel (1000000 allowed, 0 asked): init: ran out of fuel: 1000000 was allowed
;; Never returns from the start function, before any hook.
(start $forever)
(func $forever (loop $again (br $again)))
