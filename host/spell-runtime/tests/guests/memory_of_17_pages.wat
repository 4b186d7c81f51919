;; => refused: memory: memory starts with 1114112 bytes, over the limit of 1048576
;; Starts with one page more than is allowed.
(memory (export "memory") 17)
