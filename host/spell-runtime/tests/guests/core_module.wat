;; => refused: core_module: this is a core module, not a component
;; A core module where a component belongs.
(module)
