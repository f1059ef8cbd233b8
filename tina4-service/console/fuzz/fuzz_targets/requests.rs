//! Fuzzes the request parser: whatever a client sends, in pieces of whatever size, are the same requests or the same
//! refusal, and the memory that it takes is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    tina4_service_console::fuzzing::requests(bytes, usize::from(piece));
});
