//! The kernel's clocks, those of CPU time too, which what others do on the machine does not change.

#[repr(C)]
struct Timespec {
    sec: i64,
    nsec: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

fn seconds(clock: i32) -> f64 {
    let mut now = Timespec { sec: 0, nsec: 0 };
    unsafe { clock_gettime(clock, &mut now) };
    now.sec as f64 + now.nsec as f64 / 1e9
}

/// The time that other programs see as well.
#[allow(dead_code)]
pub fn monotonic_sec() -> f64 {
    seconds(1)
}

/// CPU time of this thread.
pub fn thread_cpu_sec() -> f64 {
    seconds(3)
}
