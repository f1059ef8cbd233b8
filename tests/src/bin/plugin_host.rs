//! Loads `plugin.dll` and calls its function, which ends the process: see `tests/process/exit.rs`.
//! Windows only.

#[cfg(windows)]
fn main() {
    use std::ffi::{CStr, c_char, c_void};

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn LoadLibraryA(path: *const c_char) -> *mut c_void;
        fn GetProcAddress(library: *mut c_void, name: *const c_char) -> *mut c_void;
    }

    const LIBRARY: &CStr = c"plugin.dll";
    const FUNCTION: &CStr = c"end_process";

    // SAFETY: both texts end with a NUL; a null library yields a null function.
    let function = unsafe { GetProcAddress(LoadLibraryA(LIBRARY.as_ptr()), FUNCTION.as_ptr()) };
    assert!(!function.is_null(), "plugin.dll is in this directory");
    // SAFETY: the function in `src/plugin.rs` has this type.
    let end_process: extern "system" fn() = unsafe { std::mem::transmute(function) };
    end_process();
}

#[cfg(not(windows))]
fn main() {}
