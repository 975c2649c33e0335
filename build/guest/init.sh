#!/bin/busybox sh
# The sample guest's first process: mounts, drivers, a shell on the screen, then the agent on its virtio port.
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root TERM=linux
while read -r module; do insmod "/lib/modules/$module" 2>/dev/null; done </lib/modules/order
mount -t tmpfs -o size=50% tmpfs /run
hostname ebb-sample
ip link set lo up 2>/dev/null
(ip link set eth0 up && udhcpc -i eth0 -n -q -t 5 -s /etc/udhcpc.sh) >/dev/null 2>&1 &

# The ACPI power button shuts down; no acpid needed.
(
  for node in /sys/class/input/event*; do
    [ "$(cat "$node/device/name" 2>/dev/null)" = "Power Button" ] || continue
    head -c 24 "/dev/input/${node##*/}" >/dev/null 2>&1 && { sync; poweroff -f; }
  done
) &

# setsid + open: the screen becomes the shell's controlling terminal.
(while :; do setsid sh -c 'exec sh -l </dev/tty1 >/dev/tty1 2>&1'; done) &

# The port's name appears in sysfs a moment after the driver loads.
tries=0
while [ $tries -lt 200 ]; do
  for port in /sys/class/virtio-ports/*; do
    if [ "$(cat "$port/name" 2>/dev/null)" = org.ebb.agent ]; then
      echo "ebb: agent on /dev/${port##*/}"
      # Memory a program frees goes back to the kernel at once, whatever was freed before.
      MALLOC_MMAP_THRESHOLD_=131072 perl /agent.pl "/dev/${port##*/}"
      poweroff -f
    fi
  done
  usleep 50000
  tries=$((tries + 1))
done
echo "ebb: no agent port, the screen's shell is all there is"
while :; do sleep 3600; done
