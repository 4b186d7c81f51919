//! Computes and calls nothing while it does: a linear congruential generator in f64, and a sieve. The bench times it beside native code and Luau.

use spell_sdk::prelude::*;

/// Of the generator, in one call: more would not fit into a call's fuel.
const STEPS: u32 = 20_000;
const LIMIT: usize = 20_000;

spell! {
    envelope: Envelope::timed(600.0).ticks(60.0),
    pub struct Compute {
        number: f64 = 1.0,
        primes: u32 = 0,
    }
}

impl Spell for Compute {
    fn on_cast(&mut self, _world: &mut World, _cast: &Cast) -> Result<(), Refusal> {
        Ok(())
    }

    fn on_event(&mut self, world: &mut World, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Timer(1) => self.number = steps(self.number),
            Event::Timer(2) => self.primes = sieve(),
            _ => info!(world, "{} {}", self.number, self.primes),
        }
        Ok(())
    }
}

/// Every product is below 2^53, so that each step is exact, whoever computes it.
fn steps(mut number: f64) -> f64 {
    for _ in 0..STEPS {
        let product = number * 16_807.0;
        number = product - (product / 2_147_483_647.0).floor() * 2_147_483_647.0;
    }
    number
}

fn sieve() -> u32 {
    let mut composite = vec![0_u8; LIMIT + 1];
    let mut primes = 0;
    for number in 2..=LIMIT {
        if composite[number] == 0 {
            primes += 1;
            let mut multiple = number * number;
            while multiple <= LIMIT {
                composite[multiple] = 1;
                multiple += number;
            }
        }
    }
    primes
}
