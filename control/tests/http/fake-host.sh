#!/bin/sh
# Stands in for ugc-host: announces its port, and ends when it is told to. Beside its path it leaves `starts-<world>`, a line per start with its process id,
# `secrets-<world>`, what it was told, and `origins-<world>`, whose pages may connect to it. With a file `broken` there it ends at once; with a file `mute` there it never announces its port; with a file `lingers` there
# it does not end when it is told to. With a file `refuses` there it cannot run the world, in the words of that file; with a file `stranger` there it does not understand its
# command line.
folder=$(dirname "$0")
while [ $# -gt 0 ]; do
    case "$1" in
    --port) port=$2 ;;
    --world) world=$2 ;;
    esac
    shift 2
done
[ -e "$folder/broken" ] && exit 3
[ -e "$folder/stranger" ] && echo "error: unexpected argument '--artifacts' found" >&2 && exit 2
[ -e "$folder/refuses" ] && echo "GAMESERVER_ERROR=$(cat "$folder/refuses")" && exit 1
read -r secrets
printf '%s' "$secrets" > "$folder/secrets-$world"
printf '%s' "$ORIGINS" > "$folder/origins-$world"
[ -e "$folder/lingers" ] && trap '' TERM
echo $$ >> "$folder/starts-$world"
[ -e "$folder/mute" ] && exec tail -f /dev/null
echo "a line before"
echo "GAMESERVER_PORT=$port"
# Not by exec: who looks for game servers goes by their command line.
while :; do sleep 0.1; done
