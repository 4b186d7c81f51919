//! Voxels: where, what of, and what becomes of them.

use crate::Vec3;

/// A cube of one metre, by its corner with the lowest coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "coordinates")]
pub struct Voxel {
    pub x: i32,
    pub y: i32,
    pub z: i32,
}

impl Voxel {
    /// By its corner.
    pub const fn new(x: i32, y: i32, z: i32) -> Self {
        Self { x, y, z }
    }

    /// The voxel that a point is in.
    pub fn at(point: Vec3) -> Self {
        Self::new(point.x.floor() as i32, point.y.floor() as i32, point.z.floor() as i32)
    }

    /// Its middle.
    pub const fn middle(self) -> Vec3 {
        Vec3::new(self.x as f32 + 0.5, self.y as f32 + 0.5, self.z as f32 + 0.5)
    }
}

/// All voxels from one corner to the other, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The corner with the lowest coordinates.
    pub low: Voxel,
    /// The corner with the highest.
    pub high: Voxel,
}

/// Where an edit works. All of it must be within the envelope's radius, and it looks at no more than 8,192 voxels.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "said at the variants")]
pub enum Area {
    /// The voxels whose middles are within a ball; its radius is 0.5 to 16 m.
    Ball { center: Vec3, radius: f32 },
    /// A block.
    Block(Block),
}

impl Area {
    /// The voxels whose middles are within a ball; its radius is 0.5 to 16 m.
    pub const fn ball(center: Vec3, radius: f32) -> Self {
        Self::Ball { center, radius }
    }

    /// All voxels from one corner to the other, both included.
    pub const fn block(low: Voxel, high: Voxel) -> Self {
        Self::Block(Block { low, high })
    }
}

/// What an edit does to a voxel. Materials are the constants of [`material`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "said at the variants")]
pub enum Change {
    /// It becomes this material.
    Fill(u8),
    /// It becomes air.
    Dig,
    /// If it is solid, it becomes this material.
    Paint(u8),
    /// If it is of one material, it becomes the other.
    Replace { old: u8, new: u8 },
}

/// What voxels are made of.
#[allow(missing_docs, reason = "names")]
pub mod material {
    pub const AIR: u8 = 0;
    pub const STONE: u8 = 1;
    pub const DIRT: u8 = 2;
    pub const GRASS: u8 = 3;
    pub const SAND: u8 = 4;
    pub const WOOD: u8 = 5;
    pub const GLASS: u8 = 6;
    pub const ICE: u8 = 7;
    /// Gives light.
    pub const LAMP: u8 = 8;
    /// What nothing changes.
    pub const BEDROCK: u8 = 9;
}
