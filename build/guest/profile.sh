memory=$(awk '/MemTotal/{printf "%d MB", $2/1024}' /proc/meminfo)
disks=$(for d in /sys/block/vd*; do [ -e "$d" ] && printf '%s %d MB  ' "${d##*/}" $(($(cat "$d/size") / 2048)); done)
clear
printf '\n  \033[1;36m~~~ Ebb sample guest ~~~\033[0m\n\n'
printf '  Linux %s, %s of memory\n  Disks: %s\n\n' "$(uname -r)" "$memory" "${disks:-none}"
printf '  A small Linux to try Ebb with. Nothing you do here can hurt your computer.\n'
printf '  Write something to the disk, take a point, change it, and go back.\n\n'
PS1='sample:\w# '
cd /root 2>/dev/null
