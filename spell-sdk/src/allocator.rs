//! A component's allocator: free lists of power-of-two blocks over a growing end of memory.
//!
//! Every spell carries its allocator, and every cast pays for the memory that it touches. The standard library's is 8.5 kB of code, a fifth of a spell,
//! and begins on a fresh page; this one is a tenth of that and begins in what the initial pages leave over.

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::{memory_grow, memory_size};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

const PAGE_BYTES: usize = 65_536;
/// The smallest block, and what every block is aligned to: as much as any type of a spell asks for.
const BLOCK_BYTES_MIN: usize = 16;
/// Blocks of 2^4 to 2^31 bytes, by the exponent.
const CLASSES: usize = 32;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator(UnsafeCell::new(Heap { free: [null_mut(); CLASSES], next: 0, end: 0 }));

struct Allocator(UnsafeCell<Heap>);

// SAFETY: a component has one thread, and no method here calls anything that could come back to it.
unsafe impl Sync for Allocator {}

struct Heap {
    /// The first free block of each class; each free block begins with the address of the next.
    free: [*mut u8; CLASSES],
    /// Where untouched memory begins; 0 before the first use.
    next: usize,
    /// Where memory ends.
    end: usize,
}

// SAFETY: blocks are handed out once until they are given back, hold at least `layout.size()` bytes, and are aligned to `layout.align()`.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: there is one thread, and no other reference lives during this call.
        let heap = unsafe { &mut *self.0.get() };
        if layout.align() > BLOCK_BYTES_MIN {
            return heap.take(layout.size(), layout.align());
        }
        let class = class_of(layout.size());
        let block = heap.free[class];
        if block.is_null() {
            return heap.take(1 << class, BLOCK_BYTES_MIN);
        }
        // SAFETY: a block in a free list holds the address of the next one.
        heap.free[class] = unsafe { *block.cast::<*mut u8>() };
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // A block of unusual alignment is forgotten: it fits no class, and its memory goes with the cast.
        if layout.align() > BLOCK_BYTES_MIN {
            return;
        }
        // SAFETY: as in `alloc`; the block is the caller's no more, and has room for an address.
        unsafe {
            let heap = &mut *self.0.get();
            let class = class_of(layout.size());
            *block.cast::<*mut u8>() = heap.free[class];
            heap.free[class] = block;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        let (old, new) = (class_of(layout.size()), class_of(bytes));
        let plain = layout.align() <= BLOCK_BYTES_MIN;
        if plain && old == new {
            return block;
        }
        // SAFETY: as in `alloc`.
        let heap = unsafe { &mut *self.0.get() };
        // The last block grows in place, so that one big, growing list does not leave all its former sizes behind.
        if plain && new > old && block as usize + (1 << old) == heap.next {
            return if heap.take((1 << new) - (1 << old), 1).is_null() { null_mut() } else { block };
        }
        // SAFETY: the old block holds `layout.size()` bytes, the new one `bytes`, and they are apart.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(bytes, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, layout.size().min(bytes));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

impl Heap {
    /// Takes untouched memory; null when there is no more to be had.
    fn take(&mut self, bytes: usize, align: usize) -> *mut u8 {
        if self.next == 0 {
            (self.next, self.end) = (heap_base(), memory_size(0) * PAGE_BYTES);
        }
        let start = self.next.next_multiple_of(align);
        let Some(next) = start.checked_add(bytes) else { return null_mut() };
        if next <= self.end {
            self.next = next;
            return start as *mut u8;
        }
        let missing = next - self.end;
        let pages = memory_grow(0, missing.div_ceil(PAGE_BYTES));
        if pages == usize::MAX {
            return null_mut();
        }
        let (grown_at, same_end) = (pages * PAGE_BYTES, pages * PAGE_BYTES == self.end);
        self.end = memory_size(0) * PAGE_BYTES;
        if !same_end {
            // The author's code has grown memory itself; what lies between is its own, so that we go on behind it.
            self.next = grown_at;
            return self.take(bytes, align);
        }
        self.next = next;
        start as *mut u8
    }
}

/// The exponent of the smallest block that holds so many bytes. The layout's bound of 2^31 keeps it below [`CLASSES`].
const fn class_of(bytes: usize) -> usize {
    let bytes = if bytes < BLOCK_BYTES_MIN { BLOCK_BYTES_MIN } else { bytes };
    (usize::BITS - (bytes - 1).leading_zeros()) as usize
}

/// Where the linker put the end of stack and statics.
fn heap_base() -> usize {
    unsafe extern "C" {
        static __heap_base: u8;
    }
    (&raw const __heap_base) as usize
}
