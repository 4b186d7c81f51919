//! Ways through the voxels: A* over the cells that a character can stand in, within a budget.

use crate::limits::{CHARACTER_HALF_HEIGHT_M, PATH_DROP_MAX, PATH_NODES_PER_SEARCH, PATH_NODES_PER_TICK, PATH_REACH};
use crate::voxel::voxel_of;
use crate::{EntityId, IVec3, Vec3, World};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// A voxel that holds a character's feet.
pub(crate) type Cell = [i32; 3];

/// Where an NPC is going.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Route {
    /// Where to; none: nowhere.
    pub goal: Option<Cell>,
    /// What is still ahead, the next cell last.
    pub steps: Vec<Cell>,
    /// Waits for a search.
    pub asked: bool,
    /// The tick of the last search.
    pub searched: u64,
    /// The tick of the last search or step: who makes no headway asks again.
    pub since: u64,
}

/// Serves those who wait for a way, by id, until the tick's nodes are spent; the next tick goes on behind the last one served, so that nobody waits for ever.
pub(crate) fn serve(world: &mut World) {
    let waiting: Vec<EntityId> = world.npcs.iter().filter(|(_, npc)| npc.route.asked).map(|(id, _)| *id).collect();
    let first = waiting.partition_point(|id| *id <= world.path_served);
    let mut nodes_left = PATH_NODES_PER_TICK;
    for id in waiting[first..].iter().chain(&waiting[..first]) {
        if nodes_left < PATH_NODES_PER_SEARCH {
            break;
        }
        let (Some(entity), Some(npc)) = (world.scene.entity(*id), world.npcs.get_mut(id)) else { continue };
        let terrain = world.scene.terrain();
        let found = npc.route.goal.map(|goal| search(feet(entity.position), goal, &terrain.probe()));
        let (steps, nodes) = found.unwrap_or_default();
        (npc.route.steps, npc.route.asked) = (steps, false);
        (npc.route.searched, npc.route.since) = (world.tick, world.tick);
        nodes_left -= nodes.clamp(1, PATH_NODES_PER_SEARCH);
        world.path_served = *id;
    }
}

/// The cell of the feet of a character whose middle is there. The quarter keeps one that stands exactly on a voxel's top out of that voxel.
pub(crate) fn feet(middle: Vec3) -> Cell {
    voxel_of(middle - Vec3::Y * (CHARACTER_HALF_HEIGHT_M - 0.25)).to_array()
}

/// The middle of a character that stands in the cell, metres.
pub(crate) fn standing(cell: Cell) -> Vec3 {
    IVec3::from_array(cell).as_vec3() + Vec3::new(0.5, CHARACTER_HALF_HEIGHT_M, 0.5)
}

/// The cell nearest in height, at most `reach` up or down, in which a character can stand; of two the lower one.
pub(crate) fn ground_near(cell: Cell, reach: i32, solid: &impl Fn(IVec3) -> bool) -> Option<Cell> {
    (0..=reach).flat_map(|by| [-by, by]).map(|by| [cell[0], cell[1] + by, cell[2]]).find(|cell| can_stand(*cell, solid))
}

/// The cheapest way, the next cell last and without the start, and how many nodes were looked at. Where the goal is out of reach or too far for the budget:
/// the way to the nearest cell that was found.
pub(crate) fn search(start: Cell, goal: Cell, solid: &impl Fn(IVec3) -> bool) -> (Vec<Cell>, usize) {
    let (Some(start), Some(goal)) = (ground_near(start, PATH_REACH, solid), ground_near(goal, PATH_REACH, solid)) else {
        return (Vec::new(), 1);
    };
    // By estimate, then the nearer to the goal, then by place: no order of memory decides.
    let mut open = BinaryHeap::from([Reverse((estimate(start, goal), estimate(start, goal), start))]);
    let mut known = BTreeMap::from([(start, Node { cost: 0, from: start, closed: false })]);
    let (mut nearest, mut nodes) = ((estimate(start, goal), start), 0);
    while let Some(Reverse((_, ahead, cell))) = open.pop() {
        let Some(node) = known.get_mut(&cell).filter(|node| !node.closed) else { continue };
        node.closed = true;
        let cost = node.cost;
        nearest = nearest.min((ahead, cell));
        nodes += 1;
        if cell == goal || nodes >= PATH_NODES_PER_SEARCH {
            break;
        }
        neighbours(cell, solid, |next, price| {
            let cost = cost + price;
            if known.get(&next).is_none_or(|node| cost < node.cost) {
                known.insert(next, Node { cost, from: cell, closed: false });
                open.push(Reverse((cost + estimate(next, goal), estimate(next, goal), next)));
            }
        });
    }
    (trace(&known, start, nearest.1), nodes)
}

struct Node {
    cost: u32,
    from: Cell,
    closed: bool,
}

fn trace(known: &BTreeMap<Cell, Node>, start: Cell, end: Cell) -> Vec<Cell> {
    let mut steps = Vec::new();
    let mut cell = end;
    while cell != start {
        steps.push(cell);
        cell = known[&cell].from;
    }
    steps
}

/// Ten a cell, fourteen a slanting one; heights are not counted, so that it never says too much.
fn estimate(from: Cell, to: Cell) -> u32 {
    let (x, z) = (from[0].abs_diff(to[0]), from[2].abs_diff(to[2]));
    10 * x.max(z) + 4 * x.min(z)
}

/// Straight steps lead one voxel up or at most `PATH_DROP_MAX` down; slanting ones stay level and cut no corner.
fn neighbours(cell: Cell, solid: &impl Fn(IVec3) -> bool, mut visit: impl FnMut(Cell, u32)) {
    const STRAIGHT: [[i32; 2]; 4] = [[1, 0], [0, 1], [-1, 0], [0, -1]];
    let mut level = [false; 4];
    for (side, [x, z]) in STRAIGHT.into_iter().enumerate() {
        let beside = [cell[0] + x, cell[1], cell[2] + z];
        if let Some(next) = step(cell, beside, solid) {
            level[side] = next == beside;
            visit(next, 10 + 5 * next[1].abs_diff(cell[1]));
        }
    }
    for side in 0..4 {
        let (one, other) = (STRAIGHT[side], STRAIGHT[(side + 1) % 4]);
        let slanting = [cell[0] + one[0] + other[0], cell[1], cell[2] + one[1] + other[1]];
        if level[side] && level[(side + 1) % 4] && can_stand(slanting, solid) {
            visit(slanting, 14);
        }
    }
}

/// Where a step to the side leads.
fn step(cell: Cell, beside: Cell, solid: &impl Fn(IVec3) -> bool) -> Option<Cell> {
    let [x, y, z] = beside;
    if solid(IVec3::from_array(beside)) {
        let up = [x, y + 1, z];
        let headroom = !solid(IVec3::new(cell[0], cell[1] + 2, cell[2]));
        return (headroom && can_stand(up, solid)).then_some(up);
    }
    if solid(IVec3::new(x, y + 1, z)) {
        return None;
    }
    (0..=PATH_DROP_MAX).map(|drop| [x, y - drop, z]).find(|[x, y, z]| solid(IVec3::new(*x, y - 1, *z)))
}

/// Something to stand on, and two voxels of air.
fn can_stand([x, y, z]: Cell, solid: &impl Fn(IVec3) -> bool) -> bool {
    solid(IVec3::new(x, y - 1, z)) && !solid(IVec3::new(x, y, z)) && !solid(IVec3::new(x, y + 1, z))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A floor with its top at 1.
    fn floor(voxel: IVec3) -> bool {
        voxel.y == 0
    }

    fn way(goal: Cell, solid: impl Fn(IVec3) -> bool) -> Vec<Cell> {
        let (mut steps, _) = search([0, 1, 0], goal, &solid);
        steps.reverse();
        steps
    }

    #[test]
    fn goes_straight_over_open_ground() {
        assert_eq!(way([3, 1, 0], floor), [[1, 1, 0], [2, 1, 0], [3, 1, 0]]);
        assert_eq!(way([2, 1, 2], floor), [[1, 1, 1], [2, 1, 2]]);
    }

    #[test]
    fn goes_round_a_wall_without_cutting_its_corner() {
        let wall = |voxel: IVec3| floor(voxel) || voxel.x == 1 && voxel.z < 2 && voxel.z > -9;
        assert_eq!(way([2, 1, 0], wall), [[0, 1, 1], [0, 1, 2], [1, 1, 2], [2, 1, 2], [2, 1, 1], [2, 1, 0]]);
    }

    #[test]
    fn climbs_one_voxel_and_drops_three_but_not_two_and_four() {
        let ledge = |top: i32| move |voxel: IVec3| voxel.y <= if voxel.x >= 1 { top } else { 0 };
        assert_eq!(way([1, 2, 0], ledge(1)), [[1, 2, 0]]);
        assert_eq!(way([1, 3, 0], ledge(2)), [[0, 1, 0]; 0]);
        assert_eq!(way([1, -2, 0], ledge(-3)), [[1, -2, 0]]);
        assert_eq!(way([1, -3, 0], ledge(-4)), [[0, 1, 0]; 0]);
    }

    proptest! {
        /// Every step of a way can be walked, a search keeps to its budget, and the same question has the same answer.
        #[test]
        fn ways_can_be_walked(heights in prop::collection::vec(0i32..5, 144), goal in prop::array::uniform2(-6i32..6)) {
            let column = |x: i32, z: i32| heights[(x.rem_euclid(12) * 12 + z.rem_euclid(12)) as usize];
            let solid = |voxel: IVec3| voxel.y < column(voxel.x, voxel.z);
            let start = [0, column(0, 0), 0];
            let goal = [goal[0], column(goal[0], goal[1]), goal[1]];
            let (steps, nodes) = search(start, goal, &solid);
            prop_assert!(nodes <= PATH_NODES_PER_SEARCH);
            prop_assert_eq!(&search(start, goal, &solid).0, &steps);
            let mut at = ground_near(start, PATH_REACH, &solid).unwrap_or(start);
            for step in steps.iter().rev() {
                prop_assert!(can_stand(*step, &solid));
                prop_assert!((step[0] - at[0]).abs() <= 1 && (step[2] - at[2]).abs() <= 1);
                prop_assert!((-PATH_DROP_MAX..=1).contains(&(step[1] - at[1])));
                at = *step;
            }
        }
    }
}
