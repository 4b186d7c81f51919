;; => refused: feature: uses 64-bit memory, which is not offered
;; Uses 64-bit memory.
(component
    (core module (memory i64 1)))
