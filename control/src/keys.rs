//! Secrets: where keys come from, how tokens are made and compared.
//!
//! All keys follow from one secret. Each is the SHA-256 of `ugc-world key v1`, a zero byte, the key's purpose, a zero byte, and the secret: a purpose never contains a
//! zero byte, so no two purposes can meet in one hash, and knowing one key tells nothing about another. The secret has to be random (64 hex digits are made on first
//! start when none is given), for a hash this fast protects no password.

use ed25519_dalek::SigningKey;
use protocol::Sha256Hex;
use sha2::{Digest, Sha256};

/// The SHA-256 of a token: all that is ever stored of it.
pub type TokenHash = [u8; 32];

/// The keys of this control plane.
pub struct Keys {
    /// Signs join tickets.
    pub ticket: SigningKey,
    /// Signs artifacts; the compile worker's launcher gets its seed.
    pub artifact: SigningKey,
}

impl Keys {
    /// The keys that follow from this secret.
    pub fn derive(secret: &str) -> Self {
        Self { ticket: signing_key("join-ticket", secret), artifact: signing_key("artifact-signature", secret) }
    }
    /// The seed that signs artifacts, as hex.
    pub fn artifact_seed(&self) -> String {
        hex::encode(self.artifact.to_bytes())
    }
}

/// The public half, as hex.
pub fn public_hex(key: &SigningKey) -> String {
    hex::encode(key.verifying_key().to_bytes())
}

/// A fresh 256-bit token, as 64 hex digits.
pub fn token() -> String {
    hex::encode(random::<32>())
}

/// What is stored of a token.
pub fn token_hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether this is the token of that hash; takes the same time wherever they differ.
pub fn is_token(token: &str, hash: &TokenHash) -> bool {
    token_hash(token).iter().zip(hash).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Random bytes from the kernel.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    bytes
}

fn signing_key(purpose: &str, secret: &str) -> SigningKey {
    let seed = Sha256Hex::of(&[b"ugc-world key v1\0", purpose.as_bytes(), b"\0", secret.as_bytes()].concat());
    let mut bytes = [0; 32];
    hex::decode_to_slice(seed.as_str(), &mut bytes).expect("a SHA-256 is 64 hex digits");
    SigningKey::from_bytes(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_purpose_and_by_secret_and_stay_the_same() {
        let (keys, again, other) = (Keys::derive("one"), Keys::derive("one"), Keys::derive("two"));
        assert_eq!(keys.artifact_seed(), again.artifact_seed());
        assert_ne!(keys.artifact_seed(), other.artifact_seed());
        assert_ne!(public_hex(&keys.ticket), public_hex(&keys.artifact));
    }

    #[test]
    fn a_token_is_known_by_its_hash_alone() {
        let token = token();
        assert!(is_token(&token, &token_hash(&token)));
        assert!(!is_token(&token[1..], &token_hash(&token)));
    }
}
