//! Believing an ID token (OpenID Connect Core 1.0, 3.1.3.7): its signature by `ring`, its claims by `jsonwebtoken`.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as TokenResult};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Validation, decode, decode_header};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::Value;
use signature::Verifier;

/// Algorithms of signatures by keys that everybody may know. None that takes a shared secret: whoever knows the client's could
/// sign for the provider.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// How far the clocks of two machines may be apart, in seconds.
const LEEWAY_S: u64 = 60;

/// What makes a token none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// It names a key that the provider did not publish: it may have changed its keys.
    #[error("it is signed with a key that the provider does not publish")]
    UnknownKey,
    /// Anything else.
    #[error("{0}")]
    Refused(String),
}

impl TokenError {
    fn refused(error: &jsonwebtoken::errors::Error) -> Self {
        Self::Refused(match error.kind() {
            ErrorKind::InvalidIssuer => "it is of another issuer".to_owned(),
            ErrorKind::InvalidAudience => "it is for another audience".to_owned(),
            ErrorKind::ExpiredSignature => "it has expired (are both clocks right?)".to_owned(),
            ErrorKind::ImmatureSignature => "it is not valid yet (are both clocks right?)".to_owned(),
            ErrorKind::InvalidSignature => "its signature is wrong".to_owned(),
            ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => {
                "it is signed by an algorithm that is not accepted".to_owned()
            }
            other => format!("it cannot be read ({other:?})"),
        })
    }
}

/// What a token has to say to be believed.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
}

/// Claims of an ID token that decide whether it is believed, and the rest.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    nonce: Option<String>,
    azp: Option<String>,
    aud: Audience,
    iat: Option<f64>,
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn is_others_too(&self, us: &str) -> bool {
        match self {
            Self::One(one) => one != us,
            Self::Many(many) => many.iter().any(|one| one != us),
        }
    }
}

/// The claims of a token, if it is signed by one of these keys and says what is expected.
pub(super) fn believe(token: &str, keys: &[Jwk], expected: &Expected<'_>) -> Result<Claims, TokenError> {
    // Already there: another sign-in installed the same.
    let _ = CryptoProvider::install_default(&BY_RING);
    let header = decode_header(token).map_err(|error| TokenError::refused(&error))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(TokenError::refused(&ErrorKind::InvalidAlgorithm.into()));
    }
    let mut validation = Validation::new(header.alg);
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let signing = keys.iter().filter(|key| is_for(key, header.kid.as_deref()));
    let mut refused = TokenError::UnknownKey;
    for key in signing {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        match decode::<Claims>(token, &key, &validation) {
            Ok(believed) => return check(believed.claims, expected),
            Err(error) => refused = TokenError::refused(&error),
        }
    }
    Err(refused)
}

fn is_for(key: &Jwk, kid: Option<&str>) -> bool {
    let signs = key.common.public_key_use.as_ref().is_none_or(|named| *named == PublicKeyUse::Signature);
    let is_public =
        !matches!(key.algorithm, AlgorithmParameters::OctetKey(_) | AlgorithmParameters::Other(_));
    signs && is_public && kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid))
}

/// What no library of tokens knows.
fn check(claims: Claims, expected: &Expected<'_>) -> Result<Claims, TokenError> {
    let refuse = |why: &str| Err(TokenError::Refused(why.to_owned()));
    let nonce = claims.nonce.as_deref().unwrap_or_default();
    if !same(nonce, expected.nonce) {
        return refuse("it answers another sign-in (nonce)");
    }
    let is_meant_for_us = match &claims.azp {
        Some(party) => party == expected.client_id,
        None => !claims.aud.is_others_too(expected.client_id),
    };
    if !is_meant_for_us {
        return refuse("it is for another audience");
    }
    let now = jsonwebtoken::get_current_timestamp();
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in 53 bits")]
    if claims.iat.is_some_and(|made| made > (now + LEEWAY_S) as f64) {
        return refuse("it is from the future (are both clocks right?)");
    }
    if claims.sub.is_empty() {
        return refuse("it names nobody");
    }
    Ok(claims)
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub(super) fn same(one: &str, other: &str) -> bool {
    let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    // Of digests nobody can choose the bytes, so where they differ says nothing.
    digest(one).as_ref() == digest(other).as_ref()
}

/// Signatures by `ring`. Nothing is signed here, and no key is described.
static BY_RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: verifier,
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(ErrorKind::UnsupportedAlgorithm.into()),
        rsa_pub_components_from_public_key: |_| Err(ErrorKind::UnsupportedAlgorithm.into()),
        ec_pub_components_from_private_key: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
        ed_pub_components_from_private_key: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
        compute_digest: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
};

enum How {
    Rsa(&'static RsaParameters),
    Other(&'static dyn VerificationAlgorithm),
}

struct ByRing {
    algorithm: Algorithm,
    how: How,
    key: DecodingKeyKind,
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> TokenResult<Box<dyn JwtVerifier>> {
    let how = match algorithm {
        Algorithm::RS256 => How::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => How::Rsa(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => How::Rsa(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => How::Rsa(&RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => How::Rsa(&RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => How::Rsa(&RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => How::Other(&ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => How::Other(&ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => How::Other(&ED25519),
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    };
    // A key of another kind than the algorithm's is no key.
    if algorithm.family() != key.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(ByRing { algorithm: *algorithm, how, key: key.kind().clone() }))
}

impl Verifier<Vec<u8>> for ByRing {
    fn verify(&self, message: &[u8], made: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match (&self.how, &self.key) {
            (How::Rsa(parameters), DecodingKeyKind::RsaModulusExponent { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, made)
            }
            (How::Other(algorithm), DecodingKeyKind::SecretOrDer(point)) => {
                UnparsedPublicKey::new(*algorithm, point).verify(message, made)
            }
            _ => return Err(signature::Error::new()),
        };
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for ByRing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
