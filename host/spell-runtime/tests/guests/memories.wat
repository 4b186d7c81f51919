;; => refused: memory: has 2 memories, over the limit of 1
;; Has two memories.
(component
    (core module (memory 1) (memory 1)))
