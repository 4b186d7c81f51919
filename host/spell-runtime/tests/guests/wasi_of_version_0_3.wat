;; => refused: import: imports wasi:clocks/monotonic-clock@0.3.0: not part of ugc:spell@0.1.0
;; A version that is not offered.
(component
    (import "wasi:clocks/monotonic-clock@0.3.0" (instance (export "now" (func (result u64))))))
