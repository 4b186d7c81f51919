//! The signed artifact: a component, the native code made from it, and the builder's word that the two belong together.
//!
//! Layout, little-endian: magic (8), layout version u32, lengths of engine id, component and code (3 x u32), the three themselves, Ed25519 signature (64).
//! Signed are the hashes of component and code and the engine id, behind a text that names the purpose: a signature made for anything else does not pass.

use crate::limits::{CODE_BYTES_MAX, COMPONENT_BYTES_MAX, ENGINE_ID_BYTES_MAX};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

const MAGIC: [u8; 8] = *b"UGCSPELL";
const LAYOUT: u32 = 1;
const HEADER_BYTES: usize = 8 + 4 * 4;
const SIGNATURE_BYTES: usize = 64;
const PURPOSE: &[u8] = b"ugc-world spell artifact v1";

/// Largest artifact that can be read.
pub const ARTIFACT_BYTES_MAX: usize = HEADER_BYTES + ENGINE_ID_BYTES_MAX + COMPONENT_BYTES_MAX + CODE_BYTES_MAX + SIGNATURE_BYTES;

/// The key that tells our builder's artifacts from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A verified artifact's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Artifact<'a> {
    /// For which engine the code is.
    pub engine_id: &'a str,
    /// The component, as published.
    pub component: &'a [u8],
    /// wasmtime's native code.
    pub code: &'a [u8],
}

/// Why an artifact is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactError {
    /// Not an artifact at all.
    #[error("not a spell artifact")]
    Magic,
    /// From another version of the project.
    #[error("artifact layout is {0}, not {LAYOUT}")]
    Layout(u32),
    /// Cut off, or bytes after its end.
    #[error("artifact has {actual} bytes where its header says {expected}")]
    Length {
        /// What the header adds up to.
        expected: usize,
        /// What there is.
        actual: usize,
    },
    /// A part is over its limit.
    #[error("artifact's {part} has {asked} bytes, over the limit of {allowed}")]
    Size {
        /// Engine id, component or code.
        part: &'static str,
        /// The limit.
        allowed: usize,
        /// What there is.
        asked: usize,
    },
    /// Changed since it was signed, or signed by someone else.
    #[error("artifact's signature is not valid under this server's key")]
    Signature,
    /// Not a public key: 64 hex digits of a point on the curve.
    #[error("not an Ed25519 public key: {0:?}")]
    Key(String),
}

impl PublicKey {
    /// The key that belongs to this seed.
    pub fn of_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed).verifying_key())
    }
    /// Reads 64 hex digits.
    pub fn from_hex(text: &str) -> Result<Self, ArtifactError> {
        let refused = || ArtifactError::Key(text.chars().take(80).collect());
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| refused())?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| refused())
    }
    /// 64 hex digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.as_bytes())
    }
}

/// The artifact's bytes. Parts over their limits make one that [`verify`] refuses.
pub fn sign(component: &[u8], engine_id: &str, code: &[u8], seed: &[u8; 32]) -> Vec<u8> {
    let parts = Artifact { engine_id, component, code };
    let signature = SigningKey::from_bytes(seed).sign(&parts.signed_message());
    let mut bytes = Vec::with_capacity(HEADER_BYTES + engine_id.len() + component.len() + code.len() + SIGNATURE_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&LAYOUT.to_le_bytes());
    for length in [engine_id.len(), component.len(), code.len()] {
        bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }
    bytes.extend_from_slice(engine_id.as_bytes());
    bytes.extend_from_slice(component);
    bytes.extend_from_slice(code);
    bytes.extend_from_slice(&signature.to_bytes());
    bytes
}

/// The artifact's parts, once the signature has vouched for all of them.
pub fn verify<'a>(bytes: &'a [u8], key: &PublicKey) -> Result<Artifact<'a>, ArtifactError> {
    let (artifact, signature) = parse(bytes)?;
    // Strict: also refuses signatures that someone without the key made out of a valid one.
    key.0.verify_strict(&artifact.signed_message(), &signature).map_err(|_| ArtifactError::Signature)?;
    Ok(artifact)
}

impl Artifact<'_> {
    fn signed_message(&self) -> Vec<u8> {
        let mut message = PURPOSE.to_vec();
        message.extend_from_slice(&Sha256::digest(self.component));
        message.extend_from_slice(&Sha256::digest(self.engine_id.as_bytes()));
        message.extend_from_slice(&Sha256::digest(self.code));
        message
    }
}

fn parse(bytes: &[u8]) -> Result<(Artifact<'_>, Signature), ArtifactError> {
    let Some((header, rest)) = bytes.split_at_checked(HEADER_BYTES) else {
        return Err(ArtifactError::Magic);
    };
    if header[..8] != MAGIC {
        return Err(ArtifactError::Magic);
    }
    let word = |index: usize| u32::from_le_bytes(header[8 + 4 * index..12 + 4 * index].try_into().expect("four bytes"));
    if word(0) != LAYOUT {
        return Err(ArtifactError::Layout(word(0)));
    }
    let engine_id_bytes = bounded("engine id", word(1), ENGINE_ID_BYTES_MAX)?;
    let component_bytes = bounded("component", word(2), COMPONENT_BYTES_MAX)?;
    let code_bytes = bounded("code", word(3), CODE_BYTES_MAX)?;
    let expected = HEADER_BYTES + engine_id_bytes + component_bytes + code_bytes + SIGNATURE_BYTES;
    if bytes.len() != expected {
        return Err(ArtifactError::Length { expected, actual: bytes.len() });
    }
    let (engine_id, rest) = rest.split_at(engine_id_bytes);
    let (component, rest) = rest.split_at(component_bytes);
    let (code, signature) = rest.split_at(code_bytes);
    // Not text: then it was changed, for we sign text only.
    let engine_id = str::from_utf8(engine_id).map_err(|_| ArtifactError::Signature)?;
    let signature = Signature::from_bytes(signature.try_into().expect("the length was checked"));
    Ok((Artifact { engine_id, component, code }, signature))
}

fn bounded(part: &'static str, length: u32, allowed: usize) -> Result<usize, ArtifactError> {
    let asked = length as usize;
    if asked > allowed { Err(ArtifactError::Size { part, allowed, asked }) } else { Ok(asked) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [7; 32];

    fn artifact() -> Vec<u8> {
        sign(b"component", "engine", &[3; 4096], &SEED)
    }

    #[test]
    fn a_signed_artifact_verifies() {
        let bytes = artifact();
        let parts = verify(&bytes, &PublicKey::of_seed(&SEED)).expect("our own");
        assert_eq!(parts, Artifact { engine_id: "engine", component: b"component", code: &[3; 4096] });
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let key = PublicKey::of_seed(&SEED);
        let good = artifact();
        for position in 0..good.len() {
            // All bits of the header, the names and the signature; of the code one a byte is enough.
            let bits = if (64..good.len() - SIGNATURE_BYTES).contains(&position) { 0..1 } else { 0..8 };
            for bit in bits {
                let mut bytes = good.clone();
                bytes[position] ^= 1 << bit;
                assert!(verify(&bytes, &key).is_err(), "byte {position}, bit {bit}");
            }
        }
    }

    #[test]
    fn truncated_extended_and_foreign_artifacts_are_refused() {
        let key = PublicKey::of_seed(&SEED);
        let good = artifact();
        for length in 0..good.len() {
            assert!(verify(&good[..length], &key).is_err(), "cut at {length}");
        }
        assert!(matches!(verify(&[&good[..], &[0]].concat(), &key), Err(ArtifactError::Length { .. })));
        assert_eq!(verify(&good, &PublicKey::of_seed(&[8; 32])), Err(ArtifactError::Signature));
    }

    #[test]
    fn moving_a_byte_from_one_part_to_the_next_is_refused() {
        let key = PublicKey::of_seed(&SEED);
        let mut bytes = artifact();
        bytes[16] -= 1;
        bytes[20] += 1;
        assert_eq!(verify(&bytes, &key), Err(ArtifactError::Signature));
    }

    #[test]
    fn keys_survive_hex() {
        let key = PublicKey::of_seed(&SEED);
        assert_eq!(PublicKey::from_hex(&key.to_hex()), Ok(key));
        assert!(PublicKey::from_hex("00").is_err());
    }
}
