#!/bin/sh
# Stands in for ugc-host: announces its port, and ends when its standard input does. Beside its path it leaves `starts-<world>`, a line per start with its process id,
# and `secrets-<world>`, what it was told. With a file `broken` there it ends at once; with a file `mute` there it never announces its port; with a file `lingers` there
# it does not end when its standard input does.
folder=$(dirname "$0")
while [ $# -gt 0 ]; do
    case "$1" in
    --port) port=$2 ;;
    --world) world=$2 ;;
    esac
    shift 2
done
[ -e "$folder/broken" ] && exit 3
read -r secrets
printf '%s' "$secrets" > "$folder/secrets-$world"
echo $$ >> "$folder/starts-$world"
[ -e "$folder/mute" ] && exec tail -f /dev/null
echo "a line before"
echo "GAMESERVER_PORT=$port"
cat > /dev/null
[ -e "$folder/lingers" ] && exec tail -f /dev/null
