;; => refused: table: table starts with 4294967295 elements, over the limit of 1024
;; Starts with a table of 2^32-1 elements.
(component
    (core module (table 0xffffffff funcref)))
