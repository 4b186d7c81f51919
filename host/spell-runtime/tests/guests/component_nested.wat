;; => refused: nesting: nests a module or component within a nested component
;; Nested components, two deep.
(component
    (component (component)))
