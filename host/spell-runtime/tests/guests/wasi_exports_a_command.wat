;; => refused: export: exports wasi:cli/run@0.2.0: a spell exports ugc:spell/hooks@0.1.0 alone
;; A program with a `main`, as toolchains build by default, and no spell.
(component
    (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
    (core module $code (func (export "run") (result i32) (i32.const 0)))
    (core instance $made (instantiate $code))
    (func $run (result (result)) (canon lift (core func $made "run")))
    (instance $command (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $command)))
