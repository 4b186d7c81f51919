;; => refused: feature: uses threads (a shared memory), which are not offered
;; Uses threads.
(component
    (core module (memory 1 1 shared)))
