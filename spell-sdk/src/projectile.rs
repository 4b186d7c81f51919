//! What a spell can launch.

use crate::Vec3;

/// A swept, flying sphere. It flies until it hits something or its time is up; the cast is told either way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projectile {
    /// Where it starts.
    pub start: Vec3,
    /// Metres a second; its length is at most 200.
    pub velocity: Vec3,
    /// 0.01 to 2 metres.
    pub radius: f32,
    /// Downward acceleration, m/s2; 0 to 100.
    pub gravity: f32,
    /// Life in seconds; above 0, at most 30.
    pub seconds: f32,
    /// Health taken from what it hits; 0 to 1,000. Needs [`Can::DAMAGE`](crate::Can::DAMAGE) when above 0.
    pub damage: f32,
    /// Part of its speed into a surface that a bounce gives back; 0 to 1.
    pub restitution: f32,
    /// Times that it bounces off terrain and props before it hits them; at most 16.
    pub bounces: u8,
    /// Players and NPCs that it hits and flies on from; at most 16.
    pub pierces: u8,
    /// Turns it toward a target.
    pub homing: Option<Homing>,
}

/// Turns a projectile toward the nearest player or NPC ahead that the world's policy lets its caster hurt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homing {
    /// Radians a second; 0 to 6.3.
    pub turn: f32,
    /// Half of the angle of the cone in which it looks, radians; 0 to pi.
    pub half_angle: f32,
}

impl Default for Projectile {
    /// At rest at the origin: a radius of 0.1 m, no gravity, 5 s, no damage; it ends at the first thing in its way.
    fn default() -> Self {
        Self {
            start: Vec3::ZERO,
            velocity: Vec3::ZERO,
            radius: 0.1,
            gravity: 0.0,
            seconds: 5.0,
            damage: 0.0,
            restitution: 0.0,
            bounces: 0,
            pierces: 0,
            homing: None,
        }
    }
}
