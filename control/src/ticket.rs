//! Join tickets: signed here, admitted once by the game server that they name.

use crate::{
    clock,
    ids::WorldId,
    keys::{self, Keys},
    session::Player,
};
use pasetors::{
    keys::AsymmetricSecretKey,
    version4::{PublicToken, V4},
};
use protocol::ticket::{Claims, TICKET_PURPOSE, TICKET_SECONDS};

/// A ticket that opens this life of this world's server to this player, good for `TICKET_SECONDS` from `now_ms`.
pub fn sign(keys: &Keys, player: &Player, world: &WorldId, server_id: &str, now_ms: i64) -> String {
    let claims = Claims {
        jti: hex::encode(keys::random::<16>()),
        exp: clock::iso8601_seconds(now_ms.div_euclid(1000) + TICKET_SECONDS as i64),
        world_id: world.to_string(),
        server_id: server_id.to_owned(),
        client_id: player.client_id.to_string(),
        username: player.username.clone(),
    };
    let payload = serde_json::to_vec(&claims).expect("claims are plain text");
    let key = AsymmetricSecretKey::<V4>::from(&keys.ticket.to_keypair_bytes()).expect("an Ed25519 key pair is 64 bytes");
    PublicToken::sign(&key, &payload, None, Some(TICKET_PURPOSE)).expect("a payload that is not empty can be signed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClientId;
    use pasetors::{Public, keys::AsymmetricPublicKey, token::UntrustedToken};

    #[test]
    fn a_ticket_verifies_with_the_public_key_and_for_its_purpose_only() {
        let keys = Keys::derive("secret", Default::default());
        let player = Player { client_id: ClientId::generate(), username: "kim".into() };
        let ticket = sign(&keys, &player, &"world_0a1b2c3d".parse().unwrap(), "life", 1_709_251_200_999);
        let public = AsymmetricPublicKey::<V4>::from(&keys.ticket.verifying_key().to_bytes()).unwrap();
        let token = UntrustedToken::<Public, V4>::try_from(&ticket).unwrap();
        let trusted = PublicToken::verify(&public, &token, None, Some(TICKET_PURPOSE)).unwrap();
        let claims: Claims = serde_json::from_str(trusted.payload()).unwrap();
        assert_eq!(
            (claims.exp.as_str(), claims.world_id.as_str(), claims.username.as_str()),
            ("2024-03-01T00:00:30Z", "world_0a1b2c3d", "kim")
        );
        assert!(PublicToken::verify(&public, &token, None, Some(b"another purpose")).is_err());
    }
}
