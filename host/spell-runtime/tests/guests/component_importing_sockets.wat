;; => refused: import: imports wasi:sockets/tcp@0.2.0: not part of ugc:spell@0.1.0
;; A component that wants to reach the network.
(component
    (import "wasi:sockets/tcp@0.2.0" (instance (export "start" (func)))))
