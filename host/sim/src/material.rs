//! What voxels are made of.

/// One material.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Material {
    /// The voxel's byte.
    pub id: u8,
    /// What it is called.
    pub name: &'static str,
    /// How much it resists being taken away, stone being 1; no edit changes what has infinite hardness.
    pub hardness: f32,
    /// Coulomb's, 0 to 1.
    pub friction: f32,
    /// How much light it gives of itself, 0 to 1.
    pub emissive: f32,
}

/// The lowest layer of hills: what nobody digs through.
pub const BEDROCK: u8 = 9;

/// All materials, each at its id.
pub const MATERIALS: [Material; 10] = [
    Material { id: 0, name: "air", hardness: 0.0, friction: 0.0, emissive: 0.0 },
    Material { id: 1, name: "stone", hardness: 1.0, friction: 0.6, emissive: 0.0 },
    Material { id: 2, name: "dirt", hardness: 0.4, friction: 0.7, emissive: 0.0 },
    Material { id: 3, name: "grass", hardness: 0.4, friction: 0.7, emissive: 0.0 },
    Material { id: 4, name: "sand", hardness: 0.3, friction: 0.5, emissive: 0.0 },
    Material { id: 5, name: "wood", hardness: 0.6, friction: 0.5, emissive: 0.0 },
    Material { id: 6, name: "glass", hardness: 0.2, friction: 0.3, emissive: 0.0 },
    Material { id: 7, name: "ice", hardness: 0.3, friction: 0.05, emissive: 0.0 },
    Material { id: 8, name: "lamp", hardness: 0.3, friction: 0.4, emissive: 1.0 },
    Material { id: BEDROCK, name: "bedrock", hardness: f32::INFINITY, friction: 0.6, emissive: 0.0 },
];

/// The material with this id, if there is one.
pub fn find(id: u8) -> Option<&'static Material> {
    MATERIALS.get(usize::from(id))
}

/// Whether edits may take it away and put it there.
pub fn editable(id: u8) -> bool {
    find(id).is_some_and(|material| material.hardness.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_material_is_at_its_id() {
        assert!(MATERIALS.iter().enumerate().all(|(at, material)| usize::from(material.id) == at));
        assert!(find(10).is_none() && !editable(10) && !editable(BEDROCK) && editable(0));
    }
}
