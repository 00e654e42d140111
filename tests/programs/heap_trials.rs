// A program in the situations that a heap hook has to survive, until its standard input ends. Prints "ready" when it is in one,
// "sound" at its end; exit code 3 says that its heap or its system calls were disturbed.
//
//     heap_trials fork      children are born, some of them run another program, all use their heap
//     heap_trials exec      becomes itself again every 100 ms
//     heap_trials wait      threads wait in system calls, which must not be cut short
//     heap_trials signals   a timer's handler interrupts allocation every millisecond
//     heap_trials filter    runs under seccomp filters like those of containers
//     heap_trials sandbox   … that kill for what a profiler might do; one thread sleeps
//     heap_trials limit     has no address space left: large allocations fail
//     heap_trials crowd     has no room left near its libc
use std::alloc::{alloc, dealloc, realloc, Layout};
use std::io::Write;
use std::os::raw::{c_int, c_long, c_uint, c_ulong, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[repr(C)]
struct Timespec {
    sec: i64,
    nsec: i64,
}

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: i16,
    revents: i16,
}

#[repr(C)]
struct Filter {
    code: u16,
    jt: u8,
    jf: u8,
    k: u32,
}

#[repr(C)]
struct Program {
    len: u16,
    filter: *const Filter,
}

#[repr(C)]
struct Interval {
    every_sec: i64,
    every_usec: i64,
    first_sec: i64,
    first_usec: i64,
}

extern "C" {
    fn fork() -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(code: c_int) -> !;
    fn nanosleep(time: *const Timespec, left: *mut Timespec) -> c_int;
    fn poll(fds: *mut PollFd, count: c_ulong, timeout_ms: c_int) -> c_int;
    fn pipe(fds: *mut c_int) -> c_int;
    fn read(fd: c_int, buffer: *mut c_void, len: usize) -> isize;
    fn write(fd: c_int, buffer: *const c_void, len: usize) -> isize;
    fn prctl(option: c_int, a: c_ulong, b: c_ulong, c: c_ulong, d: c_ulong) -> c_int;
    fn mmap(at: usize, len: usize, protection: c_int, flags: c_int, fd: c_int, offset: c_long) -> *mut c_void;
    fn setrlimit(resource: c_int, limits: *const [u64; 2]) -> c_int;
    fn setitimer(which: c_int, new: *const Interval, old: *mut Interval) -> c_int;
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
    fn syscall(number: c_long, a: c_ulong, b: c_ulong, c: c_ulong) -> c_long;
    fn alarm(seconds: c_uint) -> c_uint;
}

static STOP: AtomicBool = AtomicBool::new(false);

fn running() -> bool {
    !STOP.load(Ordering::Relaxed)
}

fn require(good: bool, what: &str) {
    if !good {
        eprintln!("disturbed: {what}: {}", std::io::Error::last_os_error());
        std::process::exit(3);
    }
}

fn ready() {
    println!("ready");
    std::io::stdout().flush().unwrap();
}

// Allocates, resizes, checks and frees some blocks.
fn use_heap(seed: usize) {
    let mut held: Vec<(usize, Vec<usize>)> = Vec::new();
    for i in 0..400 {
        let len = 1 + (seed * 31 + i * 17) % 300;
        held.push((len, vec![seed ^ len; len]));
        if i % 3 == 0 {
            let at = (seed + i * 7) % held.len();
            let (len, block) = &mut held[at];
            require(block.iter().all(|word| *word == seed ^ *len), "a block");
            let old = *len;
            *len += 50;
            block.iter_mut().for_each(|word| *word ^= old ^ (old + 50));
            block.resize(old + 50, seed ^ (old + 50));
        }
        if i % 5 == 0 {
            held.swap_remove((seed + i) % held.len());
        }
    }
    for (len, block) in &held {
        require(block.iter().all(|word| *word == seed ^ *len), "a block");
    }
}

fn fork_children() {
    let worker = std::thread::spawn(move || {
        while running() {
            use_heap(5);
        }
    });
    let mut round = 0;
    while running() {
        round += 1;
        use_heap(round);
        if round % 8 == 0 {
            let done = std::process::Command::new("true").status().unwrap();
            require(done.success(), "a program run by a child");
        }
        let child = unsafe { fork() };
        if child == 0 {
            for i in 0..20 {
                use_heap(round + i);
            }
            unsafe { _exit(0) }
        }
        let mut status = 0;
        require(unsafe { waitpid(child, &mut status, 0) } == child && status == 0, "a child");
    }
    worker.join().unwrap();
}

fn become_itself() {
    use std::os::unix::process::CommandExt;
    let until = Instant::now() + Duration::from_millis(100);
    while Instant::now() < until {
        use_heap(1);
    }
    if running() {
        let me = std::env::current_exe().unwrap();
        let error = std::process::Command::new(me).arg("exec").exec();
        require(false, &error.to_string());
    }
}

fn wait_in_calls() {
    let mut fds = [0; 2];
    require(unsafe { pipe(fds.as_mut_ptr()) } == 0, "pipe");
    let (from, to) = (fds[0], fds[1]);
    static DRAINED: AtomicBool = AtomicBool::new(false);
    let workers = [
        std::thread::spawn(move || {
            while running() {
                let begin = Instant::now();
                let time = Timespec { sec: 0, nsec: 20_000_000 };
                require(unsafe { nanosleep(&time, std::ptr::null_mut()) } == 0, "nanosleep");
                require(begin.elapsed() >= Duration::from_millis(20), "nanosleep was cut short");
            }
        }),
        std::thread::spawn(move || {
            while running() {
                let begin = Instant::now();
                require(unsafe { poll(std::ptr::null_mut(), 0, 15) } == 0, "poll");
                require(begin.elapsed() >= Duration::from_millis(15), "poll was cut short");
            }
        }),
        std::thread::spawn(move || {
            let mut word = 0u64;
            let mut expected = 0u64;
            while running() {
                let got = unsafe { read(from, &mut word as *mut u64 as *mut c_void, 8) };
                require(got == 8 && word == expected, "read");
                expected += 1;
            }
            DRAINED.store(true, Ordering::Relaxed);
        }),
        std::thread::spawn(move || {
            let mut word = 0u64;
            while !DRAINED.load(Ordering::Relaxed) {
                let put = unsafe { write(to, &word as *const u64 as *const c_void, 8) };
                require(put == 8, "write");
                word += 1;
                std::thread::sleep(Duration::from_millis(7));
            }
        }),
    ];
    let (lock, condition) = (std::sync::Mutex::new(()), std::sync::Condvar::new());
    let mut guard = lock.lock().unwrap();
    while running() {
        let (back, timeout) = condition.wait_timeout(guard, Duration::from_millis(10)).unwrap();
        guard = back;
        require(timeout.timed_out(), "a condition's wait");
    }
    for worker in workers {
        worker.join().unwrap();
    }
}

static TICKS: AtomicU64 = AtomicU64::new(0);

extern "C" fn on_alarm(_: c_int) {
    TICKS.fetch_add(1, Ordering::Relaxed);
    unsafe { syscall(39, 0, 0, 0) }; // getpid: a handler may make system calls
}

fn be_interrupted() {
    unsafe {
        signal(14, on_alarm);
        let every_ms = Interval { every_sec: 0, every_usec: 1000, first_sec: 0, first_usec: 1000 };
        require(setitimer(0, &every_ms, std::ptr::null_mut()) == 0, "setitimer");
    }
    let mut round = 0;
    while running() {
        round += 1;
        use_heap(round);
    }
    unsafe {
        alarm(0);
        setitimer(0, &Interval { every_sec: 0, every_usec: 0, first_sec: 0, first_usec: 0 }, std::ptr::null_mut());
    }
    require(TICKS.load(Ordering::Relaxed) > 50, "signals were lost");
}

const ALLOW: u32 = 0x7fff_0000;
const REFUSE: u32 = 0x0005_0001; // with EPERM
const KILL: u32 = 0x8000_0000;

// Puts all threads under a filter that has an answer to some system calls, and allows the others.
fn filter(calls: &[c_long], answer: u32) {
    let step = |code, jt, jf, k| Filter { code, jt, jf, k };
    let mut steps = vec![step(0x20, 0, 0, 4), step(0x15, 1, 0, 0xc000_003e), step(0x06, 0, 0, KILL), step(0x20, 0, 0, 0)];
    for call in calls {
        steps.push(step(0x15, 0, 1, *call as u32));
        steps.push(step(0x06, 0, 0, answer));
    }
    // Like Docker's: personality() with some arguments only.
    steps.extend([step(0x15, 0, 3, 135), step(0x20, 0, 0, 16), step(0x15, 1, 0, 0), step(0x06, 0, 0, REFUSE)]);
    steps.push(step(0x06, 0, 0, ALLOW));
    let program = Program { len: steps.len() as u16, filter: steps.as_ptr() };
    unsafe {
        require(prctl(38, 1, 0, 0, 0) == 0, "no_new_privs");
        require(syscall(317, 1, 1, &program as *const Program as c_ulong) == 0, "seccomp");
    }
}

fn be_filtered() {
    const MOUNT: c_long = 165;
    const PTRACE: c_long = 101;
    const BPF: c_long = 321;
    filter(&[MOUNT, PTRACE], REFUSE);
    filter(&[BPF], KILL);
    ready();
    while running() {
        use_heap(9);
    }
}

fn be_sandboxed() {
    const MEMFD_CREATE: c_long = 319;
    const RESTART_SYSCALL: c_long = 219;
    let sleeper = std::thread::spawn(|| {
        while running() {
            std::thread::sleep(Duration::from_millis(300));
        }
    });
    filter(&[MEMFD_CREATE, RESTART_SYSCALL], KILL);
    ready();
    while running() {
        use_heap(10);
        std::thread::sleep(Duration::from_millis(5));
    }
    sleeper.join().unwrap();
}

fn be_limited() {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').next().unwrap().parse().unwrap();
    let limit = pages * 4096 + (2 << 20);
    require(unsafe { setrlimit(9, &[limit, u64::MAX]) } == 0, "setrlimit");
    ready();
    let large = Layout::from_size_align(64 << 20, 16).unwrap();
    let mut failures = 0;
    let small = Layout::from_size_align(1000, 16).unwrap();
    while running() {
        use_heap(11);
        unsafe {
            let block = std::hint::black_box(alloc(large));
            if block.is_null() {
                failures += 1;
            } else {
                dealloc(block, large);
            }
            let block = std::hint::black_box(alloc(small));
            block.write_bytes(0x5a, 1000);
            let grown = std::hint::black_box(realloc(block, small, 64 << 20));
            if grown.is_null() {
                require((0..1000).all(|i| *block.add(i) == 0x5a), "a block after a failed realloc");
                dealloc(block, small);
            } else {
                dealloc(grown, large);
            }
        }
    }
    require(failures > 0, "no large allocation failed");
}

fn be_crowded() {
    const FIXED_RESERVED: c_int = 0x02 | 0x20 | 0x4000 | 0x10_0000; // private, anonymous, without swap, where nothing is
    const NEAR: usize = 3 << 30;
    const LEFT: usize = 16 << 20; // for the stack to grow
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let start = |line: &str| usize::from_str_radix(line.split('-').next().unwrap(), 16).unwrap();
    let end = |line: &str| usize::from_str_radix(line.split(['-', ' ']).nth(1).unwrap(), 16).unwrap();
    let libc = start(maps.lines().find(|line| line.contains("libc.so")).unwrap());
    for (below, above) in maps.lines().zip(maps.lines().skip(1)) {
        let from = end(below).max(libc - NEAR);
        let to = start(above).min(libc + NEAR).saturating_sub(LEFT);
        if from < to {
            require(unsafe { mmap(from, to - from, 0, FIXED_RESERVED, -1, 0) } as usize == from, "mmap");
        }
    }
    ready();
    while running() {
        use_heap(12);
    }
}

fn main() {
    let trial = std::env::args().nth(1).unwrap_or_default();
    let (started, has_started) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        started.send(()).unwrap();
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        STOP.store(true, Ordering::Relaxed);
    });
    has_started.recv().unwrap(); // with its stacks, which a limit could forbid
    if !["filter", "sandbox", "limit", "crowd"].contains(&trial.as_str()) {
        ready();
    }
    match trial.as_str() {
        "fork" => fork_children(),
        "exec" => become_itself(),
        "wait" => wait_in_calls(),
        "signals" => be_interrupted(),
        "filter" => be_filtered(),
        "sandbox" => be_sandboxed(),
        "limit" => be_limited(),
        "crowd" => be_crowded(),
        _ => std::process::exit(2),
    }
    println!("sound");
}
