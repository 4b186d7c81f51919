//! Secrets: where keys come from, how tokens are made and compared.
//!
//! All keys follow from one secret. Each is the SHA-256 of `ugc-world key v1`, a zero byte, the key's purpose, a zero byte, and the secret: a purpose never contains a
//! zero byte, so no two purposes can meet in one hash, and knowing one key tells nothing about another. The secret has to be random (64 hex digits are made on first
//! start when none is given), for a hash this fast protects no password.

use crate::error::Error;
use ed25519_dalek::SigningKey;
use protocol::Sha256Hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fs, io::Write, path::Path};

/// The SHA-256 of a token: all that is ever stored of it.
pub type TokenHash = [u8; 32];

/// The keys of this control plane.
pub struct Keys {
    /// Signs join tickets.
    pub ticket: SigningKey,
    /// Signs artifacts; the compile worker's launcher gets its seed.
    pub artifact: SigningKey,
    /// Signed them before, and is still trusted: what a world's file has kept loads. The newest comes first.
    pub older_artifacts: Vec<SigningKey>,
}

/// Which of the keys that follow from the secret sign artifacts. Each number is another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Generation {
    /// The one that signs.
    pub current: u32,
    /// The oldest that game servers still trust.
    pub oldest_trusted: u32,
}

impl Generation {
    /// The file's; the first where there is none.
    pub fn read(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(GENERATION_FILE);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::file(path)(error)),
        }
    }

    /// Goes on to the next key, and writes that down. Those before are trusted for `GENERATIONS_TRUSTED_MAX` more rotations; if they are known to have leaked, not at all.
    pub fn rotate(data_dir: &Path, distrust: bool) -> Result<Self, Error> {
        let Self { current, oldest_trusted } = Self::read(data_dir)?;
        let current = current + 1;
        let oldest_trusted = if distrust { current } else { oldest_trusted.max(current.saturating_sub(GENERATIONS_TRUSTED_MAX)) };
        let rotated = Self { current, oldest_trusted };
        let (path, aside) = (data_dir.join(GENERATION_FILE), data_dir.join("keys.new"));
        let write = || {
            let mut file = fs::File::create(&aside)?;
            file.write_all(&serde_json::to_vec(&rotated)?)?;
            file.sync_all()?;
            fs::rename(&aside, &path)?;
            fs::File::open(data_dir)?.sync_all()
        };
        write().map_err(Error::file(&path))?;
        Ok(rotated)
    }
}

/// In the data directory.
const GENERATION_FILE: &str = "keys.json";
/// Older keys that are trusted beside the current one.
const GENERATIONS_TRUSTED_MAX: u32 = 2;

impl Keys {
    /// The keys that follow from this secret.
    pub fn derive(secret: &str, generation: Generation) -> Self {
        let artifact = |number: u32| match number {
            // As it was before keys rotated.
            0 => signing_key("artifact-signature", secret),
            number => signing_key(&format!("artifact-signature {number}"), secret),
        };
        let older_artifacts = (generation.oldest_trusted..generation.current).rev().map(artifact).collect();
        Self { ticket: signing_key("join-ticket", secret), artifact: artifact(generation.current), older_artifacts }
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
        let derive = |secret| Keys::derive(secret, Generation::default());
        let (keys, again, other) = (derive("one"), derive("one"), derive("two"));
        assert_eq!(keys.artifact_seed(), again.artifact_seed());
        assert_ne!(keys.artifact_seed(), other.artifact_seed());
        assert_ne!(public_hex(&keys.ticket), public_hex(&keys.artifact));
    }

    #[test]
    fn keys_rotate_and_those_before_are_trusted_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let keys = || Keys::derive("one", Generation::read(folder.path()).unwrap());
        let mut seen = vec![public_hex(&keys().artifact)];
        for _ in 0..3 {
            Generation::rotate(folder.path(), false).unwrap();
            assert!(!seen.contains(&public_hex(&keys().artifact)));
            seen.push(public_hex(&keys().artifact));
        }
        let older: Vec<_> = keys().older_artifacts.iter().map(public_hex).collect();
        assert_eq!(older, [seen[2].clone(), seen[1].clone()]);
        Generation::rotate(folder.path(), true).unwrap();
        assert_eq!(keys().older_artifacts.len(), 0);
        assert_eq!(public_hex(&keys().ticket), public_hex(&Keys::derive("one", Generation::default()).ticket));
    }

    #[test]
    fn a_token_is_known_by_its_hash_alone() {
        let token = token();
        assert!(is_token(&token, &token_hash(&token)));
        assert!(!is_token(&token[1..], &token_hash(&token)));
    }
}
