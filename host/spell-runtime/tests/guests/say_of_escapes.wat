;; => runs; on-cast: Say { text: "a [2J b", aloud: true }
;; A text that would move a terminal's cursor and turn the reading direction: shown as spaces.
;; envelope: all
(memory (export "memory") 1)
(data (i32.const 16) "a\1b[2J\e2\80\aeb")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $say (i32.const 16) (i32.const 9) (i32.const 1) (i32.const 64))
    (call $report (i32.const 64)))
