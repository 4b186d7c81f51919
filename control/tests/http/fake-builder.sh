#!/bin/sh
# Stands in for ugc-builder: speaks its protocol, and does what the source tells it to. Beside its path it leaves
# `builder-process`, its process id, and a line in `builds` for each of them. With a file `dies` there it is killed at once; with a file `hangs` there it does not end but
# when it builds.
PATH=/usr/bin:/bin
[ "$1" != build ] && [ -e "$(dirname "$0")/hangs" ] && exec tail -f /dev/null
[ "$1" = build ] || exit 0
[ -e "$(dirname "$0")/dies" ] && kill -9 $$
read -r order
echo $$ > "$(dirname "$0")/builder-process"
echo build >> "$(dirname "$0")/builds"
field() { printf '%s' "$order" | sed "s|.*\"$1\":\"\([^\"]*\)\".*|\1|"; }
scratch=$(field scratch)
mkdir -m 700 "$scratch"
# Whoever asked is gone when this ends, and so is all that was started for them.
exec 3<&0
(cat <&3; rm -rf "$scratch"; kill -9 0) > /dev/null 2>&1 &
case "$order" in
*'"kind":"component"'*)
    component=$(field hex | perl -e 'print pack "H*", <STDIN>')
    source=${component#component of }
    ;;
*)
    source=$(field src/lib.rs)
    component="component of $source"
    ;;
esac
echo '{"event":"stage","stage":"compile"}'
case "$source" in
*HANG*) sleep 1000 & wait ;;
*STUCK*) exec tail -f /dev/null ;;
*DIE*) kill -9 $$ ;;
*NONSENSE*) echo 'all is well'; exit ;;
*FAIL*)
    echo '{"event":"failed","message":"mismatched types","diagnostics":[{"severity":"error","file":"src/lib.rs","line":3,"column":9,"end_line":3,"end_column":12,"code":"E0308","message":"mismatched types","help":"try 1.0"}]}'
    exit ;;
*LINK*) ln -s /etc/passwd "$scratch/artifact.bin" ;;
*) printf 'artifact of %s' "$source" > "$scratch/artifact.bin" ;;
esac
printf '%s' "$component" > "$scratch/component.wasm"
echo '{"event":"finished","envelope":{"duration":{"mode":"instant"}},"cost":{"cast_mana":3.5,"worst_case":8.5},"metadata":null,"in_flight":{"policy":"finish"},"needs_wasi":false,"measured":null,"toolchain":"rustc 1.95.0","sdk_version":"0.1.0","engine_id":"engine-1","diagnostics":[],"stage_ms":[]}'
