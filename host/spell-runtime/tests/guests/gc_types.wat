;; => refused: invalid: component is not valid: struct indexed types not supported without the gc feature (at offset 0x15)
;; Uses garbage-collected types.
(component
    (core module (type (struct (field i32)))))
