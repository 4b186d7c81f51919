;; => runs; on-tick: Push { target: 2, impulse: [0.0, 1.0, 0.0] }, SetTimer { token: 5, ticks: 30 }
;; A well-behaved spell: pushes the dummy each tick and sets a timer.
;; envelope: all
(data (i32.const 16) "\02\00\00\00\00\00\00\00")
(data (i32.const 32) "\00\00\00\00\00\00\80\3f\00\00\00\00")
(func (export "ugc:spell/hooks@0.1.0#on-tick") (param f32)
    (call $push (i32.const 16) (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 64))
    (call $report (i32.const 64))
    (call $set_timer (i32.const 5) (i32.const 30) (i32.const 64)))
