;; => runs
;; Its memory and table must be as new: whatever is left of an earlier tenant of the slot is a trap in `init`. On cast it leaves something in every 64 bytes.
(memory (export "memory") 1)
(table $table 1024 funcref)
(func $here)
(elem declare func $here)
(func (export "ugc:spell/hooks@0.1.0#init") (local $at i32) (local $seen v128)
    (drop (memory.grow (i32.const 15)))
    (loop $next
        (local.set $seen (v128.or (local.get $seen) (v128.or (v128.load (local.get $at)) (v128.load offset=16 (local.get $at)))))
        (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 32))) (i32.const 1048576))))
    (if (v128.any_true (local.get $seen)) (then unreachable))
    (local.set $at (i32.const 0))
    (loop $next
        (if (i32.eqz (ref.is_null (table.get $table (local.get $at)))) (then unreachable))
        (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 1024)))))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32) (local $at i32)
    (loop $next
        (i64.store offset=40 (local.get $at) (i64.const -1))
        (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (i32.const 1048576))))
    (table.fill $table (i32.const 0) (ref.func $here) (i32.const 1024)))
