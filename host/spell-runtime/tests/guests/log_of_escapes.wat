;; => runs; on-cast: Log { level: "info", text: "a [31mb  c d" }
;; Logs what would move a terminal's cursor and turn the reading direction.
(data (i32.const 16) "a\1b[31mb\r\nc\e2\80\aed")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $log (i32.const 1) (i32.const 16) (i32.const 14)))
