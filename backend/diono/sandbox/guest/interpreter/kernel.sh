# The bash kernel: sources the scripts whose names come on descriptor 63, says on 62 how they ended.
trap 'return 130 2>/dev/null' INT
while IFS= read -r -u 63 __diono_script; do
    . "$__diono_script" </dev/null 62>&- 63<&-
    printf 'done %d\n' "$?" >&62
done
