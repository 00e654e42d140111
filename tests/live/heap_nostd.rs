// Holds a megabyte in blocks that it replaces all the time, until its standard input ends. Without std, as there is none for musl
// everywhere. With --cfg kept it takes the address of `free` once, in the beginning.
#![no_std]
#![crate_type = "staticlib"]

const HELD: usize = 1000;
const BYTES: usize = 1000;

#[repr(C)]
struct PollFd {
    fd: i32,
    events: i16,
    revents: i16,
}

extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn free(block: *mut u8);
    fn poll(fds: *mut PollFd, count: u64, timeout_ms: i32) -> i32;
    fn puts(text: *const u8) -> i32;
    fn abort() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { abort() }
}

#[inline(never)]
unsafe fn make() -> *mut u8 {
    let block = malloc(BYTES); // LINE held
    block.write_bytes(7, BYTES);
    block
}

fn address_of_free() -> unsafe extern "C" fn(*mut u8) {
    if cfg!(kept) {
        core::hint::black_box(free)
    } else {
        free
    }
}

#[no_mangle]
pub unsafe extern "C" fn main() -> i32 {
    let free = address_of_free();
    let mut held = [core::ptr::null_mut(); HELD];
    let mut input = PollFd { fd: 0, events: 1, revents: 0 };
    let mut next = 0;
    while poll(&mut input, 1, 1) == 0 {
        for _ in 0..20 {
            free(held[next]);
            held[next] = make();
            next = (next + 1) % HELD;
        }
    }
    puts(b"sound\0".as_ptr());
    0
}
