;; => refused: memory: memory starts with 4294967296 bytes, over the limit of 1048576
;; Starts with all the memory that 32 bits can name.
(memory (export "memory") 65536)
