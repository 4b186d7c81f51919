;; => refused: export: does not export ugc:spell/hooks@0.1.0
;; A component that does nothing.
(component)
