//! A process that is never the same for long: 200 threads that allocate and compute now and then, 17 new ones a second, and
//! libraries that are loaded, called and unloaded each second. usage: soak SECONDS LIBRARY...
//! Each library has `shape_run(seconds)`. Exit code 99: the heap was disturbed.

use std::ffi::CString;
use std::hint::black_box;
use std::os::raw::{c_char, c_int, c_void};
use std::time::{Duration, Instant};

extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(library: *mut c_void) -> c_int;
}

const RTLD_NOW: c_int = 2;

fn keep(kept: &mut Vec<Vec<u64>>, seed: u64) {
    let block: Vec<u64> = (0..16 + seed % 200).map(|i| seed ^ i).collect(); // LINE allocate
    if kept.len() < 100 {
        kept.push(block);
    } else {
        kept[(seed % 100) as usize] = block;
    }
}

fn check(kept: &[Vec<u64>]) {
    for block in kept {
        if block.iter().enumerate().any(|(i, word)| *word != block[0] ^ i as u64) {
            std::process::exit(99);
        }
    }
}

fn work(end: Instant, thread: u64) {
    let mut kept = Vec::new();
    for round in 0.. {
        for i in 0..50 {
            keep(&mut kept, thread.wrapping_mul(0x9e37_79b9).wrapping_add(round * 50 + i));
        }
        check(black_box(&kept));
        std::thread::sleep(Duration::from_millis(20));
        if Instant::now() > end {
            return;
        }
    }
}

fn use_library_for_a_second(path: &str) {
    let (path, name) = (CString::new(path).unwrap(), CString::new("shape_run").unwrap());
    unsafe {
        let library = dlopen(path.as_ptr(), RTLD_NOW);
        assert!(!library.is_null(), "dlopen {path:?}");
        let run: extern "C" fn(f64) = std::mem::transmute(dlsym(library, name.as_ptr()));
        run(0.05);
        std::thread::sleep(Duration::from_secs(1));
        dlclose(library);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().and_then(|text| text.parse().ok()).expect("usage: soak SECONDS LIBRARY...");
    let libraries: Vec<String> = arguments.collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    for thread in 0..200 {
        std::thread::spawn(move || work(end, thread));
    }
    for round in 0.. {
        let newborn: Vec<_> = (0..17)
            .map(|i| std::thread::spawn(move || work(Instant::now(), round as u64 * 17 + i)))
            .collect();
        newborn.into_iter().for_each(|thread| thread.join().unwrap());
        use_library_for_a_second(&libraries[round % libraries.len()]);
        if Instant::now() > end {
            return;
        }
    }
}
