;; => refused: component does not fit the interface: instance export `ugc:spell/hooks@0.1.0` does not have export `init`
;; Exports the interface, with one function of another name in it.
(component
    (core module $m (func (export "f")))
    (core instance $i (instantiate $m))
    (func $f (canon lift (core func $i "f")))
    (instance $hooks (export "explode" (func $f)))
    (export "ugc:spell/hooks@0.1.0" (instance $hooks)))
