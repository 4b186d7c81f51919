#!/bin/sh
# Stands in for ugc-builder: speaks its protocol, and does what the source tells it to. Beside its path it leaves
# `builder-process`, its process id.
PATH=/usr/bin:/bin
order=$(cat)
echo $$ > "$(dirname "$0")/builder-process"
field() { printf '%s' "$order" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
scratch=$(field scratch)
source=$(field source)
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
printf 'component of %s' "$source" > "$scratch/component.wasm"
echo '{"event":"finished","envelope":{"duration":{"mode":"instant"}},"cost":{"cast_mana":3.5,"worst_case":8.5},"toolchain":"rustc 1.95.0","sdk_version":"0.1.0","diagnostics":[],"stage_ms":[]}'
