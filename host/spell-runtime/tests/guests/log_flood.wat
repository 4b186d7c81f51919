;; => on-cast: 32 intents, Log { level: "debug", text: "        " } first; fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed; its last call was log
;; Logs without end: 32 lines are kept.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (loop $again
        (call $log (i32.const 0) (i32.const 0) (i32.const 8))
        (br $again)))
