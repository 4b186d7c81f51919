//! The canonical ABI's rules of memory, for guests that are driven below wasmtime's component layer.
//!
//! <https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md>. What that layer would check is checked here: bounds and alignment of every
//! pointer, multiplications that overflow, UTF-8, how much crosses in one call, and that a guest calls nothing while it allocates or cleans up for us.

use super::since_v0_1_0::calls::{Bytes, Caller, Text};
use crate::desk::Desk;
use crate::limits::HOSTCALL_BYTES_MAX;
use std::borrow::Cow;
use wasmtime::{AsContext, AsContextMut, Error, Memory, Result, Trap, TypedFunc};

/// `cabi_realloc`: old pointer, old size, alignment, new size.
pub(crate) type Realloc = TypedFunc<(u32, u32, u32, u32), u32>;

/// A core module's instance, as its imports need it. While it may call none of them, its store holds none.
pub(crate) struct Guest {
    pub memory: Memory,
    pub realloc: Realloc,
}

/// One crossing of the boundary: a guest's call of us, or ours of it.
pub(crate) struct Crossing<'a> {
    pub store: Caller<'a>,
    memory: Memory,
    /// Bytes that the guest may still lend.
    lendable: usize,
}

/// Bytes of the guest's memory, within its bounds.
#[derive(Clone, Copy)]
pub(crate) struct Lent {
    memory: Memory,
    start: usize,
    bytes: usize,
}

impl<'a> Crossing<'a> {
    /// # Errors
    /// Where the guest may not call us.
    pub fn new(store: Caller<'a>) -> Result<Self> {
        let Some(Guest { memory, .. }) = store.data().guest else { return Err(Trap::CannotLeaveComponent.into()) };
        Ok(Self { store, memory, lendable: HOSTCALL_BYTES_MAX })
    }

    /// A list of `count` elements of `size` bytes, or a text of as many bytes.
    pub fn lent(&mut self, start: u32, count: u32, size: usize, align: usize) -> Result<Lent> {
        let start = start as usize;
        let bytes = (count as usize).checked_mul(size).filter(|bytes| {
            let end = start.checked_add(*bytes);
            end.is_some_and(|end| end <= self.memory.data_size(&self.store))
        });
        let bytes = bytes.ok_or_else(|| Error::msg("a list or string reaches beyond the memory"))?;
        let left = self.lendable.checked_sub(bytes);
        self.lendable =
            left.ok_or_else(|| Error::msg(format!("more than {HOSTCALL_BYTES_MAX} bytes are copied between the guest and the host")))?;
        if !start.is_multiple_of(align) {
            return Err(Error::msg("a list's pointer is not aligned"));
        }
        Ok(Lent { memory: self.memory, start, bytes })
    }

    /// A lent text's own copy.
    pub fn text(&mut self, start: u32, bytes: u32) -> Result<String> {
        Ok(self.lent(start, bytes, 1, 1)?.read_text(&self.store)?.into_owned())
    }

    /// Where an answer of a type of `SIZE` bytes goes, which is also where a hook's own answer lies.
    pub fn area<const SIZE: usize>(&mut self, start: u32, align: usize) -> Result<&mut [u8; SIZE]> {
        let start = start as usize;
        if !start.is_multiple_of(align) {
            return Err(Error::msg("a pointer to an answer is not aligned"));
        }
        // Fetched anew each time: memory moves on when it grows.
        let memory = self.memory.data_mut(&mut self.store);
        let area = memory.get_mut(start..).and_then(|rest| rest.first_chunk_mut());
        area.ok_or_else(|| Error::msg("a pointer to an answer reaches beyond the memory"))
    }

    /// Room for `bytes` in the guest's memory, which the guest allocates.
    pub fn room(&mut self, bytes: usize, align: u32) -> Result<(u32, &mut [u8])> {
        let size = u32::try_from(bytes)?;
        let start = self.while_it_stays(|store, guest| guest.realloc.call(store, (0, 0, align, size)))?;
        if !start.is_multiple_of(align) {
            return Err(Error::msg("what the guest's allocator answered is not aligned"));
        }
        let memory = self.memory.data_mut(&mut self.store);
        let room = memory.get_mut(start as usize..).and_then(|rest| rest.get_mut(..bytes));
        room.map(|room| (start, room)).ok_or_else(|| Error::msg("what the guest's allocator answered reaches beyond the memory"))
    }

    /// A copy of these bytes in the guest's memory: pointer and length.
    pub fn give(&mut self, bytes: &[u8]) -> Result<(u32, u32)> {
        let (start, room) = self.room(bytes.len(), 1)?;
        room.copy_from_slice(bytes);
        Ok((start, bytes.len() as u32))
    }

    /// Calls into the guest where it may not call us: to allocate, and to clean up after an answer. After an error the store is never entered again.
    pub fn while_it_stays<T>(&mut self, call: impl FnOnce(&mut Caller<'_>, &Guest) -> Result<T>) -> Result<T> {
        let guest = self.store.data_mut().guest.take().ok_or(Trap::CannotLeaveComponent)?;
        let result = call(&mut self.store.as_context_mut(), &guest)?;
        self.store.data_mut().guest = Some(guest);
        Ok(result)
    }
}

impl Lent {
    fn read<'a>(&self, store: &'a Caller<'_>) -> &'a [u8] {
        // Memory does not shrink, so it is still within bounds.
        &self.memory.data(store.as_context())[self.start..self.start + self.bytes]
    }

    /// The memory that it lies in, and the desk beside it.
    pub fn memory_and_desk<'a>(&self, store: &'a mut Caller<'_>) -> (&'a [u8], &'a mut Desk) {
        let (memory, desk) = self.memory.data_and_store_mut(store.as_context_mut());
        (memory, desk)
    }

    /// As elements of `SIZE` bytes.
    pub fn elements<'a, const SIZE: usize>(&self, memory: &'a [u8]) -> &'a [[u8; SIZE]] {
        memory[self.start..self.start + self.bytes].as_chunks().0
    }

    fn read_text<'a>(&self, store: &'a Caller<'_>) -> Result<Cow<'a, str>> {
        Ok(Cow::Borrowed(str::from_utf8(self.read(store))?))
    }
}

impl Text for Lent {
    fn read<'a>(&self, store: &'a Caller<'_>) -> Result<Cow<'a, str>> {
        self.read_text(store)
    }
}

impl Bytes for Lent {
    fn len(&self) -> usize {
        self.bytes
    }
    fn read<'a>(&self, store: &'a Caller<'_>) -> &'a [u8] {
        self.read(store)
    }
}

/// An error for a number that names no case of its type.
pub(crate) fn no_case(number: u32) -> Error {
    Error::msg(format!("unexpected discriminant: {number}"))
}

/// Writes into an answer, at an offset of its type.
pub(crate) trait Put {
    fn put<const SIZE: usize>(&mut self, offset: usize, bytes: [u8; SIZE]);
    fn put_vector(&mut self, offset: usize, vector: [f32; 3]) {
        for (axis, value) in vector.into_iter().enumerate() {
            self.put(offset + 4 * axis, value.to_le_bytes());
        }
    }
    /// Pointer and length.
    fn put_list(&mut self, offset: usize, (start, count): (u32, u32)) {
        self.put(offset, start.to_le_bytes());
        self.put(offset + 4, count.to_le_bytes());
    }
}

impl<const AREA: usize> Put for [u8; AREA] {
    fn put<const SIZE: usize>(&mut self, offset: usize, bytes: [u8; SIZE]) {
        self[offset..offset + SIZE].copy_from_slice(&bytes);
    }
}
