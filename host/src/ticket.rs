//! Admits join tickets: signed by the control plane, for this world, in time, and once.

use pasetors::Public;
use pasetors::claims::{Claims as Registered, ClaimsValidationRules};
use pasetors::errors::{ClaimValidationError, Error as PasetoError};
use pasetors::keys::AsymmetricPublicKey;
use pasetors::token::UntrustedToken;
use pasetors::version4::{PublicToken, V4};
use protocol::ticket::{Claims, TICKET_PURPOSE, TICKET_SECONDS, TICKETS_REMEMBERED_MAX};
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// Why a ticket is refused. What a forger learns from it is nothing that he did not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Not a token, or not signed by the control plane for this purpose.
    #[error("the session token is not a valid join ticket")]
    Invalid,
    /// Too late.
    #[error("the join ticket has expired: join again")]
    Expired,
    /// For another world.
    #[error("the join ticket is for another world")]
    World,
    /// For the server that ran this world before.
    #[error("the join ticket is for a server that is gone: join again")]
    Server,
    /// Used already.
    #[error("the join ticket was used already: join again")]
    Used,
    /// More tickets within 30 s than can be remembered.
    #[error("too many joins at once: try again in a moment")]
    Busy,
}

/// A public key that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ticket key must be 64 hex digits of an Ed25519 public key")]
pub struct KeyError;

/// The desk at the door of one world.
#[derive(Debug)]
pub struct Tickets {
    key: AsymmetricPublicKey<V4>,
    world: String,
    server: String,
    used: BTreeSet<String>,
    /// The same, oldest first, with the time of their use.
    used_at: VecDeque<(Instant, String)>,
}

impl Tickets {
    /// A desk for this world and this life of its server; the key is 64 hex digits.
    pub fn new(key: &str, world: &str, server: &str) -> Result<Self, KeyError> {
        let bytes = hex::decode(key).map_err(|_| KeyError)?;
        let key = AsymmetricPublicKey::from(&bytes).map_err(|_| KeyError)?;
        Ok(Self { key, world: world.to_owned(), server: server.to_owned(), used: BTreeSet::new(), used_at: VecDeque::new() })
    }

    /// Whom the ticket lets in. The second call with the same ticket refuses it.
    pub fn admit(&mut self, token: &str, now: Instant) -> Result<Claims, TicketError> {
        let claims = self.verify(token)?;
        if claims.world_id != self.world {
            return Err(TicketError::World);
        }
        // One that was used on the server before this one would not be known here.
        if claims.server_id != self.server {
            return Err(TicketError::Server);
        }
        self.forget(now);
        if self.used.contains(&claims.jti) {
            return Err(TicketError::Used);
        }
        if self.used.len() >= TICKETS_REMEMBERED_MAX {
            return Err(TicketError::Busy);
        }
        self.used.insert(claims.jti.clone());
        self.used_at.push_back((now, claims.jti.clone()));
        Ok(claims)
    }

    fn verify(&self, token: &str) -> Result<Claims, TicketError> {
        let token = UntrustedToken::<Public, V4>::try_from(token).map_err(|_| TicketError::Invalid)?;
        let trusted = PublicToken::verify(&self.key, &token, None, Some(TICKET_PURPOSE)).map_err(|_| TicketError::Invalid)?;
        not_expired(trusted.payload())?;
        serde_json::from_str(trusted.payload()).map_err(|_| TicketError::Invalid)
    }

    /// Tickets whose time is over are refused for that, so their names need not be kept.
    fn forget(&mut self, now: Instant) {
        // Twice the life of a ticket covers clocks that differ a little.
        let keep = Duration::from_secs(2 * TICKET_SECONDS);
        while self.used_at.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > keep) {
            if let Some((_, jti)) = self.used_at.pop_front() {
                self.used.remove(&jti);
            }
        }
    }
}

fn not_expired(payload: &str) -> Result<(), TicketError> {
    let mut rules = ClaimsValidationRules::new();
    // A ticket says when it ends, not when it began.
    rules.disable_valid_at();
    let registered = Registered::from_string(payload).map_err(|_| TicketError::Invalid)?;
    rules.validate_claims(&registered).map_err(|error| match error {
        PasetoError::ClaimValidation(ClaimValidationError::Exp) => TicketError::Expired,
        _ => TicketError::Invalid,
    })
}
