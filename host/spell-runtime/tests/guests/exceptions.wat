;; => refused: feature: uses exceptions, which are not offered
;; Uses exceptions.
(component
    (core module (tag)))
