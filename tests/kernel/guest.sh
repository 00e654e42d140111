#!/bin/sh
# The first process of the kernel under test: attaches rsprof to a Rust program, once for each kind of heap tracking, and writes
# what comes of it to the second serial line, where test_kernel.py reads it.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

# The clocks for CPU samples are started last. (On older kernels a uprobe is a perf event too: then the others follow soon.)
is_attached() { ls -l /proc/"$1"/fd 2>/dev/null | grep -q perf_event; }

# The program keeps its heap when it is told to: once rsprof looks at it.
snapshot() { # NAME RSPROF-OPTION…
    echo "snapshot $1"
    shift
    /shape 120 &
    target=$!
    rsprof snapshot $target --duration 6 --budget 1 "$@" >/out 2>/err &
    rsprof=$!
    until is_attached $rsprof || ! kill -0 $rsprof; do sleep 0.2; done
    sleep 2
    kill -USR1 $target
    wait $rsprof
    echo "code $?"
    kill $target
    cat /err
    echo "out"
    cat /out
    echo "end"
} 2>/dev/null >/dev/ttyS1

snapshot hook --heap hook --heap-interval 1
snapshot uprobe --heap uprobe
poweroff -f
