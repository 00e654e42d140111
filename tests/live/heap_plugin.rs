// A library for heap_host.rs: holds 8 MB when it is asked to, renewed block by block, through an allocator of its own that calls C code.
use std::alloc::{GlobalAlloc, Layout};

extern "C" {
    fn lazy_allocate(size: usize) -> *mut u8;
    fn lazy_free(block: *mut u8);
}

struct Lazy;

unsafe impl GlobalAlloc for Lazy {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        lazy_allocate(layout.size())
    }
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        lazy_free(block)
    }
}

#[global_allocator]
static LAZY: Lazy = Lazy;

static mut HELD: Vec<Vec<u8>> = Vec::new();

/// # Safety
/// Called by one thread at a time.
#[no_mangle]
pub unsafe extern "C" fn plugin_hold() {
    let held = &mut *std::ptr::addr_of_mut!(HELD);
    held.resize(1000, Vec::new());
    for block in held {
        *block = vec![1; 8000];
    }
}

/// # Safety
/// Called by one thread at a time.
#[no_mangle]
pub unsafe extern "C" fn plugin_release() {
    let held = &mut *std::ptr::addr_of_mut!(HELD);
    *held = Vec::new();
}
