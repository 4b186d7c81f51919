;; => runs
;; Asks before there is a cast: refused, and reporting it is refused too.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#init")
    (call $damage (i64.const 2) (f32.const 5) (i32.const 64))
    (call $report (i32.const 64)))
