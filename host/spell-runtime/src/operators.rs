//! What each wasm instruction costs in fuel, so that fuel is about time whatever a spell is made of.
//!
//! wasmtime charges 1 for every instruction. An ordinary one takes half a nanosecond; those below take up to 100 times as long when nothing else is in the loop,
//! and a call of a million units of fuel would fill several ticks with them. Measured in tight loops: nanoseconds, times two, rounded up.

use wasmtime::OperatorCost;

/// The price of each instruction; what is not named costs wasmtime's 1 (0 for those that make no code).
#[allow(clippy::too_many_lines, reason = "a table")]
pub(crate) fn costs() -> OperatorCost {
    OperatorCost {
        // Calls out of the guest's code into the runtime, before they move a byte.
        MemoryFill: 100,
        MemoryCopy: 100,
        MemoryInit: 100,
        MemoryGrow: 100,
        DataDrop: 100,
        TableInit: 100,
        TableCopy: 100,
        TableFill: 100,
        TableGrow: 100,
        ElemDrop: 100,
        TableGet: 30,
        TableSet: 30,
        RefFunc: 80,
        // A loop that goes round looks at its fuel and at the epoch, whatever else it does.
        Br: 2,
        BrIf: 2,
        BrTable: 4,
        // Through a table, its bounds and a signature.
        CallIndirect: 8,
        // The dividers and the square root are not pipelined.
        I32DivS: 10,
        I32DivU: 10,
        I32RemS: 10,
        I32RemU: 10,
        I64DivS: 16,
        I64DivU: 16,
        I64RemS: 16,
        I64RemU: 16,
        F32Div: 6,
        F64Div: 8,
        F32Sqrt: 10,
        F64Sqrt: 12,
        // One that takes as long as three or four others.
        F32Ceil: 6,
        F32Floor: 6,
        F32Trunc: 6,
        F32Nearest: 6,
        F64Ceil: 6,
        F64Floor: 6,
        F64Trunc: 6,
        F64Nearest: 6,
        // No instruction of their own on the machine that we compile for, but several.
        F32Copysign: 4,
        F64Copysign: 4,
        F32Min: 6,
        F32Max: 6,
        F64Min: 6,
        F64Max: 6,
        I32TruncF32S: 10,
        I32TruncF32U: 10,
        I32TruncF64S: 10,
        I32TruncF64U: 10,
        I64TruncF32S: 10,
        I64TruncF32U: 10,
        I64TruncF64S: 10,
        I64TruncF64U: 10,
        I32TruncSatF32S: 10,
        I32TruncSatF32U: 10,
        I32TruncSatF64S: 10,
        I32TruncSatF64U: 10,
        I64TruncSatF32S: 10,
        I64TruncSatF32U: 10,
        I64TruncSatF64S: 10,
        I64TruncSatF64U: 10,
        F32ConvertI64U: 6,
        F64ConvertI64U: 6,
        I32Clz: 4,
        I32Ctz: 4,
        I32Popcnt: 2,
        I64Clz: 4,
        I64Ctz: 4,
        I64Popcnt: 2,
        // Vectors: four or two of the above, and shuffles that are sequences here.
        F32x4Ceil: 8,
        F32x4Floor: 8,
        F32x4Trunc: 8,
        F32x4Nearest: 8,
        F64x2Ceil: 8,
        F64x2Floor: 8,
        F64x2Trunc: 8,
        F64x2Nearest: 8,
        F32x4Sqrt: 16,
        F64x2Sqrt: 24,
        F32x4Div: 10,
        F64x2Div: 16,
        I8x16Swizzle: 6,
        I8x16Shuffle: 8,
        I8x16Popcnt: 16,
        I64x2Mul: 8,
        ..OperatorCost::new()
    }
}
