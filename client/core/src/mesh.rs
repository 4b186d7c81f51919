//! A chunk as quads: faces that look alike are merged, row by row, and each corner knows how much light reaches it.

use sim::IVec3;

/// Voxels along an edge of a chunk with one more on each side: what stands beside a face hides or darkens it.
pub const PADDED_EDGE: usize = 34;
/// Bytes of a volume.
pub const VOLUME_BYTES: usize = PADDED_EDGE * PADDED_EDGE * PADDED_EDGE;
/// A vertex: x, y, z in voxels from the chunk's corner; which face, 0 to 5 for -x, +x, -y and so on; material; light, 0 to 3; two bytes of nothing.
pub const VERTEX_BYTES: usize = 8;

const EDGE: usize = PADDED_EDGE - 2;
/// How far it is in a volume to the next voxel along each axis.
const STRIDES: [usize; 3] = [1, PADDED_EDGE, PADDED_EDGE * PADDED_EDGE];
const AIR: u8 = 0;
/// What one sees through.
const GLASS: u8 = 6;
/// The light of a corner with nothing around it.
const LIGHT_MAX: u8 = 3;

/// The materials of a chunk and of the voxels around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume(Box<[u8; VOLUME_BYTES]>);

/// Quads, four vertices each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mesh {
    /// Of what hides what is behind it.
    pub opaque: Vec<u8>,
    /// Of what does not.
    pub clear: Vec<u8>,
}

/// A face that is to be seen: its material, and the light at its corners (0, 0), (1, 0), (1, 1), (0, 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Face {
    material: u8,
    light: [u8; 4],
}

/// All faces of a layer, u running fastest.
type Layer = [Option<Face>; EDGE * EDGE];

impl Default for Volume {
    fn default() -> Self {
        Self(Box::new([AIR; VOLUME_BYTES]))
    }
}

impl Volume {
    /// The volume in these bytes, if they are one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Box::new(*bytes.as_array()?)))
    }

    /// Its bytes: x runs fastest, then y.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// Puts a material at a place, -1 to 32 on each axis.
    pub fn set(&mut self, place: IVec3, material: u8) {
        self.0[index(place)] = material;
    }

    /// Puts a row of the chunk in.
    pub fn set_row(&mut self, y: i32, z: i32, row: &[u8]) {
        let start = index(IVec3::new(0, y, z));
        self.0[start..start + row.len()].copy_from_slice(row);
    }
}

/// The faces of the chunk in the middle of the volume.
pub fn mesh(volume: &Volume) -> Mesh {
    let mut mesh = Mesh::default();
    if volume.0.iter().all(|material| *material == AIR) {
        return mesh;
    }
    let mut layer: Layer = [None; EDGE * EDGE];
    for axis in 0..3 {
        for forward in [false, true] {
            for depth in 0..EDGE {
                if look(volume, axis, forward, depth, &mut layer) {
                    merge(&mut layer, |quad, face| mesh.put(axis, forward, depth, quad, face));
                }
            }
        }
    }
    mesh
}

/// A rectangle of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rectangle {
    u: usize,
    v: usize,
    width: usize,
    height: usize,
}

/// Fills a layer with the faces of its voxels that look along the axis, or against it. Whether there are any.
fn look(volume: &Volume, axis: usize, forward: bool, depth: usize, layer: &mut Layer) -> bool {
    let voxels = &volume.0;
    let (across, up) = (STRIDES[(axis + 1) % 3], STRIDES[(axis + 2) % 3]);
    let first = index(IVec3::ZERO) + STRIDES[axis] * depth;
    let mut any = false;
    for v in 0..EDGE {
        for u in 0..EDGE {
            let place = first + across * u + up * v;
            let front = if forward { place + STRIDES[axis] } else { place - STRIDES[axis] };
            let material = voxels[place];
            let seen = material != AIR && !hides(voxels[front]) && material != voxels[front];
            layer[u + EDGE * v] = seen.then(|| Face { material, light: light(voxels, front, across, up) });
            any |= seen;
        }
    }
    any
}

/// How much light reaches the corners of a face: less for each of the three voxels in front of it that meet there, and none where two close it in.
fn light(voxels: &[u8; VOLUME_BYTES], front: usize, across: usize, up: usize) -> [u8; 4] {
    let dark = |place: usize| u8::from(hides(voxels[place]));
    let [left, right, below, above] = [front - across, front + across, front - up, front + up].map(dark);
    let corner = |beside: u8, along: u8, place: usize| if beside + along == 2 { 0 } else { LIGHT_MAX - beside - along - dark(place) };
    [
        corner(left, below, front - across - up),
        corner(right, below, front + across - up),
        corner(right, above, front + across + up),
        corner(left, above, front - across + up),
    ]
}

/// Takes rectangles of equal faces out of the layer, as wide and then as high as they go.
fn merge(layer: &mut Layer, mut put: impl FnMut(Rectangle, Face)) {
    for v in 0..EDGE {
        let mut u = 0;
        while u < EDGE {
            let Some(face) = layer[u + EDGE * v] else {
                u += 1;
                continue;
            };
            let same = |layer: &Layer, u: usize, v: usize| layer[u + EDGE * v] == Some(face);
            let width = if face.is_even_across() { (u..EDGE).take_while(|u| same(layer, *u, v)).count() } else { 1 };
            let row = |layer: &Layer, v: usize| (u..u + width).all(|u| same(layer, u, v));
            let height = if face.is_even_up() { (v..EDGE).take_while(|v| row(layer, *v)).count() } else { 1 };
            for taken in v..v + height {
                layer[u + EDGE * taken..u + width + EDGE * taken].fill(None);
            }
            put(Rectangle { u, v, width, height }, face);
            u += width;
        }
    }
}

impl Face {
    /// Whether its light is the same from one side to the other: only then does the light of many look as that of each.
    fn is_even_across(&self) -> bool {
        let [a, b, c, d] = self.light;
        a == b && c == d
    }

    fn is_even_up(&self) -> bool {
        let [a, b, c, d] = self.light;
        a == d && b == c
    }
}

impl Mesh {
    fn put(&mut self, axis: usize, forward: bool, depth: usize, quad: Rectangle, face: Face) {
        let Rectangle { u, v, width, height } = quad;
        let corners = [(u, v), (u + width, v), (u + width, v + height), (u, v + height)];
        let [a, b, c, d] = face.light;
        // Two triangles along the lighter diagonal: a dark corner then darkens one of them, not both.
        let first = usize::from(a + c < b + d);
        let to = if hides(face.material) { &mut self.opaque } else { &mut self.clear };
        for turn in 0..4 {
            // Seen from the front, corners run against the clock.
            let corner = (first + if forward { turn } else { 4 - turn }) % 4;
            let mut place = [0; 3];
            place[axis] = depth + usize::from(forward);
            (place[(axis + 1) % 3], place[(axis + 2) % 3]) = corners[corner];
            let [x, y, z] = place.map(|voxels| voxels as u8);
            to.extend([x, y, z, (2 * axis + usize::from(forward)) as u8, face.material, face.light[corner], 0, 0]);
        }
    }
}

fn hides(material: u8) -> bool {
    material != AIR && material != GLASS
}

fn index(place: IVec3) -> usize {
    let [x, y, z] = place.to_array().map(|coordinate| (coordinate + 1) as usize);
    x * STRIDES[0] + y * STRIDES[1] + z * STRIDES[2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn unit(axis: usize) -> IVec3 {
        IVec3::from_array(std::array::from_fn(|other| i32::from(other == axis)))
    }

    fn volume(material: impl Fn(IVec3) -> u8) -> Volume {
        let mut volume = Volume::default();
        for z in -1..=EDGE as i32 {
            for y in -1..=EDGE as i32 {
                for x in -1..=EDGE as i32 {
                    volume.set(IVec3::new(x, y, z), material(IVec3::new(x, y, z)));
                }
            }
        }
        volume
    }

    fn quads(bytes: &[u8]) -> Vec<[[u8; VERTEX_BYTES]; 4]> {
        let vertices: Vec<[u8; VERTEX_BYTES]> = bytes.as_chunks().0.to_vec();
        vertices.as_chunks().0.to_vec()
    }

    /// How many voxels wide and high a quad is, as an area.
    fn area(quad: &[[u8; VERTEX_BYTES]; 4]) -> usize {
        let spans = (0..3).map(|axis| {
            let along = quad.iter().map(|vertex| usize::from(vertex[axis]));
            along.clone().max().unwrap_or(0) - along.min().unwrap_or(0)
        });
        spans.filter(|span| *span > 0).product()
    }

    /// At each corner the way turns to the left, as seen from the front: both triangles are seen, and together they are the rectangle.
    fn faces_out(quad: &[[u8; VERTEX_BYTES]; 4]) -> bool {
        let corner = |index: usize| IVec3::from_array([0, 1, 2].map(|axis| i32::from(quad[index % 4][axis])));
        let face = usize::from(quad[0][3]);
        let turns_left = |index: usize| {
            let normal = (corner(index + 1) - corner(index)).cross(corner(index + 2) - corner(index + 1));
            normal[face / 2].signum() == if face % 2 == 1 { 1 } else { -1 }
        };
        (0..4).all(turns_left) && quad.iter().all(|vertex| usize::from(vertex[3]) == face)
    }

    #[test]
    fn a_floor_is_one_quad() {
        let mesh = mesh(&volume(|place| u8::from(place.y == 0)));
        let up: Vec<_> = quads(&mesh.opaque).into_iter().filter(|quad| quad[0][3] == 3).collect();
        assert_eq!(up.len(), 1);
        assert_eq!(area(&up[0]), 1_024);
        assert!(up[0].iter().all(|vertex| vertex[1] == 1 && vertex[5] == LIGHT_MAX), "{up:?}");
        assert_eq!(quads(&mesh.opaque).len(), 2, "top and bottom: beside it the floor goes on");
    }

    #[test]
    fn a_voxel_on_the_floor_darkens_what_is_around_it() {
        let mesh = mesh(&volume(|place| u8::from(place.y == 0 || place == IVec3::new(9, 1, 9))));
        let floor: Vec<_> = quads(&mesh.opaque).into_iter().filter(|quad| quad[0][3] == 3 && quad[0][1] == 1).collect();
        assert_eq!(floor.iter().map(area).sum::<usize>(), 1_024 - 1);
        let darkest = floor.iter().flatten().map(|vertex| vertex[5]).min();
        assert_eq!(darkest, Some(LIGHT_MAX - 1));
        assert!(floor.iter().flatten().filter(|vertex| vertex[5] < LIGHT_MAX).count() >= 12, "{floor:?}");
    }

    #[test]
    fn glass_is_seen_through_and_has_no_faces_within() {
        let mesh = mesh(&volume(|place| match place.to_array() {
            [4 | 5, 4, 4] => GLASS,
            [6, 4, 4] => 1,
            _ => AIR,
        }));
        assert_eq!(quads(&mesh.clear).iter().map(area).sum::<usize>(), 2 * 4 + 1, "the side at the stone is hidden");
        assert_eq!(quads(&mesh.opaque).iter().map(area).sum::<usize>(), 6, "the stone is seen through the glass");
    }

    #[test]
    fn air_and_the_inside_of_stone_are_nothing() {
        assert_eq!(mesh(&Volume::default()), Mesh::default());
        assert_eq!(mesh(&volume(|_| 1)), Mesh::default());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        /// However faces are merged, each voxel's visible faces are there, of its material, and look out.
        #[test]
        fn merged_faces_cover_what_single_ones_would(cells in prop::collection::vec(0u8..4, 343)) {
            let material = |place: IVec3| match cells[(place.x.rem_euclid(7) + 7 * place.y.rem_euclid(7) + 49 * place.z.rem_euclid(7)) as usize] {
                3 => GLASS,
                material => material,
            };
            let mesh = mesh(&volume(material));
            let mut expected: BTreeMap<(u8, u8), usize> = BTreeMap::new();
            for index in 0..EDGE * EDGE * EDGE {
                let place = IVec3::new((index % EDGE) as i32, (index / EDGE % EDGE) as i32, (index / EDGE / EDGE) as i32);
                for face in 0..6_u8 {
                    let front = place + unit(usize::from(face / 2)) * if face % 2 == 1 { 1 } else { -1 };
                    let (own, front) = (material(place), material(front));
                    if own != AIR && own != front && (front == AIR || front == GLASS) {
                        *expected.entry((face, own)).or_default() += 1;
                    }
                }
            }
            let mut covered: BTreeMap<(u8, u8), usize> = BTreeMap::new();
            for quad in quads(&mesh.opaque).iter().chain(&quads(&mesh.clear)) {
                prop_assert!(faces_out(quad), "{quad:?}");
                *covered.entry((quad[0][3], quad[0][4])).or_default() += area(quad);
            }
            prop_assert_eq!(covered, expected);
        }
    }
}
