// Loads heap_plugin.rs while it runs, until its standard input ends.
//
//     heap_host LIBRARY stay           loads it after a second; it holds its blocks, and renews them twice a second
//     heap_host LIBRARY come-and-go    loads and unloads it all the time
use std::ffi::{c_char, c_int, c_void, CString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

extern "C" {
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(library: *mut c_void) -> c_int;
}

const RTLD_LAZY: c_int = 1;

static STOP: AtomicBool = AtomicBool::new(false);

fn running() -> bool {
    !STOP.load(Ordering::Relaxed)
}

struct Plugin(*mut c_void);

impl Plugin {
    fn load(path: &str) -> Plugin {
        let name = CString::new(path).unwrap();
        let library = unsafe { dlopen(name.as_ptr(), RTLD_LAZY) };
        assert!(!library.is_null(), "cannot load {path}");
        Plugin(library)
    }

    fn call(&self, name: &str) {
        let name = CString::new(name).unwrap();
        unsafe {
            let function = dlsym(self.0, name.as_ptr());
            assert!(!function.is_null());
            std::mem::transmute::<*mut c_void, unsafe extern "C" fn()>(function)();
        }
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        unsafe { dlclose(self.0) };
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        STOP.store(true, Ordering::Relaxed);
    });
    println!("ready");
    std::thread::sleep(Duration::from_secs(1));
    if arguments[1] == "stay" {
        let plugin = Plugin::load(&arguments[0]);
        std::thread::sleep(Duration::from_secs(3)); // its words are seen before they are bound
        while running() {
            plugin.call("plugin_hold");
            std::thread::sleep(Duration::from_millis(500));
        }
        plugin.call("plugin_release");
    }
    while running() {
        let plugin = Plugin::load(&arguments[0]);
        for _ in 0..20 {
            plugin.call("plugin_hold");
        }
        std::thread::sleep(Duration::from_millis(300));
        plugin.call("plugin_release");
    }
    println!("sound");
}
