// The only function of bcryptprimitives.dll that Rust's standard library needs. Wine 8 lacks it.
#include <windows.h>

// Fills `buffer` with random bytes; also known as RtlGenRandom.
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length) {
    return SystemFunction036(buffer, (ULONG)length);
}
