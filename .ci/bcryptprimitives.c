// The one function of bcryptprimitives.dll that Rust's standard library needs, and Wine 8 lacks.
#include <windows.h>

// Fills `buffer` with random bytes; its other name is RtlGenRandom.
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length) {
    return SystemFunction036(buffer, (ULONG)length);
}
