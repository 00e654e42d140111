// A program with an allocator of its own, for test_hook.py: holds a known heap and churns beside it, until its standard input
// ends. Built with --cfg jemalloc (linked in) or --cfg mimalloc (a library, or, with --cfg unpatchable, functions
// that begin with a call).
use std::alloc::{GlobalAlloc, Layout};
use std::os::raw::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

struct Own;

#[cfg(jemalloc)]
extern "C" {
    fn mallocx(size: usize, flags: c_int) -> *mut c_void;
    fn rallocx(block: *mut c_void, size: usize, flags: c_int) -> *mut c_void;
    fn sdallocx(block: *mut c_void, size: usize, flags: c_int);
}

#[cfg(jemalloc)]
fn flags(layout: Layout) -> c_int {
    layout.align().trailing_zeros() as c_int
}

#[cfg(jemalloc)]
unsafe impl GlobalAlloc for Own {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        mallocx(layout.size(), flags(layout)) as *mut u8
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        sdallocx(block as *mut c_void, layout.size(), flags(layout))
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        rallocx(block as *mut c_void, size, flags(layout)) as *mut u8
    }
}

#[cfg(mimalloc)]
extern "C" {
    fn mi_malloc_aligned(size: usize, align: usize) -> *mut c_void;
    fn mi_realloc_aligned(block: *mut c_void, size: usize, align: usize) -> *mut c_void;
    fn mi_free(block: *mut c_void);
}

#[cfg(mimalloc)]
unsafe impl GlobalAlloc for Own {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        mi_malloc_aligned(layout.size(), layout.align()) as *mut u8
    }
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        mi_free(block as *mut c_void)
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        mi_realloc_aligned(block as *mut c_void, size, layout.align()) as *mut u8
    }
}

#[cfg(unpatchable)]
std::arch::global_asm!(
    ".macro define name, real",
    ".globl \\name",
    ".type \\name, @function",
    "\\name: call 1f",
    "1: addq $8, %rsp",
    "jmp *\\real@GOTPCREL(%rip)",
    ".size \\name, . - \\name",
    ".endm",
    "define mi_malloc_aligned, malloc",
    "define mi_realloc_aligned, realloc",
    "define mi_free, free",
    options(att_syntax)
);

#[global_allocator]
static OWN: Own = Own;

static STOP: AtomicBool = AtomicBool::new(false);

fn main() {
    println!("ready");
    let _: c_int = 0;
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        STOP.store(true, Ordering::Relaxed);
    });
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let kept: Vec<Vec<u8>> = (0..1000).map(|i| vec![i as u8; 10_000]).collect();
    while !STOP.load(Ordering::Relaxed) {
        for i in 0..100 {
            let mut grown = Vec::new();
            for j in 0..200u64 {
                grown.push(j ^ i);
            }
            assert!(std::hint::black_box(&grown).iter().sum::<u64>() > 0);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(kept.iter().enumerate().all(|(i, block)| block.iter().all(|byte| *byte == i as u8)));
    println!("sound");
}
