;; => refused: invalid: component is not valid: tail calls support is not enabled (at offset 0x21)
;; Uses tail calls.
(component
    (core module (func $f (return_call $f))))
