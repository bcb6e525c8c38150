//! Bearer tokens checked without asking anybody: JSON Web Tokens (RFC 7519) signed with RS256, keys from a JWKS
//! file (RFC 7517), the claims that Amazon Cognito issues.

use std::path::Path;

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use beluga_sinks::read_regular;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use serde_json::Value;

/// Longest token, in bytes.
const MAX_TOKEN: usize = 8192;
/// Longest key file, in bytes.
const MAX_KEYS: usize = 1 << 20;

/// What a token must say.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    /// `iss`, exactly.
    pub(crate) issuer: String,
    /// `aud`, or one of it; tokens for access say `client_id` instead.
    pub(crate) audience: String,
    /// `token_use`, if asked for: `access` or `id`.
    pub(crate) token_use: Option<String>,
}

/// Checks tokens.
#[derive(Debug)]
pub(crate) struct Verifier {
    keys: Vec<Key>,
    claims: Claims,
}

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Why a token was refused. What is told of it is the same for all: a stranger learns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Malformed,
    Algorithm,
    Key,
    Signature,
    Issuer,
    Audience,
    Expired,
    TooEarly,
    Use,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl Verifier {
    /// Reads the keys; those that are not for RS256 signatures are passed over.
    pub(crate) fn load(path: &Path, claims: Claims) -> anyhow::Result<Self> {
        let bytes =
            read_regular(path, MAX_KEYS as u64).with_context(|| format!("cannot read {}", path.display()))?;
        Self::new(&bytes, claims).with_context(|| format!("not a set of keys: {}", path.display()))
    }

    pub(super) fn new(jwks: &[u8], claims: Claims) -> anyhow::Result<Self> {
        if jwks.len() > MAX_KEYS {
            return Err(anyhow!("{} bytes, expected at most {MAX_KEYS}", jwks.len()));
        }
        let set: KeySet = serde_json::from_slice(jwks).context("not JSON with `keys`")?;
        let keys: Vec<Key> = set.keys.iter().filter_map(key).collect();
        match keys.is_empty() {
            true => Err(anyhow!("no RSA key for signatures with RS256")),
            false => Ok(Self { keys, claims }),
        }
    }

    /// Whether a token is good at this second since the Unix epoch.
    pub(super) fn check(&self, token: &str, now_s: i64) -> Result<(), Refused> {
        if token.len() > MAX_TOKEN {
            return Err(Refused::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Malformed)?;
        let (head, body) = signed.split_once('.').ok_or(Refused::Malformed)?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed);
        let header: Header = serde_json::from_slice(&decoded(head)?).map_err(|_| Refused::Malformed)?;
        if header.alg != "RS256" || header.crit.is_some() {
            return Err(Refused::Algorithm);
        }
        let signature = decoded(signature)?;
        let mut candidates = self
            .keys
            .iter()
            .filter(|key| header.kid.is_none() || key.kid == header.kid)
            .peekable();
        candidates.peek().ok_or(Refused::Key)?;
        let holds = |key: &Key| {
            let public = RsaPublicKeyComponents {
                n: &key.modulus,
                e: &key.exponent,
            };
            public
                .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
                .is_ok()
        };
        if !candidates.any(holds) {
            return Err(Refused::Signature);
        }
        let claims: Value = serde_json::from_slice(&decoded(body)?).map_err(|_| Refused::Malformed)?;
        self.says(&claims, now_s)
    }

    fn says(&self, claims: &Value, now_s: i64) -> Result<(), Refused> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time = |name: &str| claims.get(name).map(Value::as_f64);
        let wanted = &self.claims;
        let is_for = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().any(|one| one == &wanted.audience),
            Some(one) => one == &wanted.audience,
            None => text("client_id") == Some(&wanted.audience),
        };
        if text("iss") != Some(&wanted.issuer) {
            Err(Refused::Issuer)
        } else if !is_for {
            Err(Refused::Audience)
        } else if time("exp").flatten().is_none_or(|end| end <= now_s as f64) {
            Err(Refused::Expired)
        } else if time("nbf").is_some_and(|begin| begin.is_none_or(|begin| begin > now_s as f64)) {
            // Also where it is no number: who wrote it meant to say something.
            Err(Refused::TooEarly)
        } else if wanted.token_use.is_some() && text("token_use") != wanted.token_use.as_deref() {
            Err(Refused::Use)
        } else {
            Ok(())
        }
    }
}

fn key(value: &Value) -> Option<Key> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let is_ours = text("kty") == Some("RSA")
        && text("use").is_none_or(|usage| usage == "sig")
        && text("alg").is_none_or(|algorithm| algorithm == "RS256");
    is_ours.then_some(())?;
    Some(Key {
        kid: text("kid").map(str::to_owned),
        modulus: number("n")?,
        exponent: number("e")?,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
    use serde_json::json;

    pub(crate) const JWKS: &[u8] = include_bytes!("../../tests/serve/jwks.json");

    pub(crate) fn claims() -> Claims {
        Claims {
            issuer: "https://issuer.example/pool".into(),
            audience: "client-1".into(),
            token_use: Some("access".into()),
        }
    }

    /// Made with the private key that belongs to [`JWKS`], which is for tests only.
    pub(crate) fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let pair = RsaKeyPair::from_der(include_bytes!("../../tests/serve/key_of_tests.der")).unwrap();
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn good(expires_s: i64) -> String {
        token(
            &json!({"alg": "RS256", "kid": "tests-1"}),
            &json!({"iss": "https://issuer.example/pool", "client_id": "client-1", "token_use": "access", "exp": expires_s}),
        )
    }

    #[test]
    fn a_good_token_is_taken_until_it_ends() {
        let verifier = Verifier::new(JWKS, claims()).unwrap();
        assert_eq!(verifier.check(&good(1000), 999), Ok(()));
        assert_eq!(verifier.check(&good(1000), 1000), Err(Refused::Expired));
        let for_several = token(
            &json!({"alg": "RS256"}),
            &json!({"iss": "https://issuer.example/pool", "aud": ["other", "client-1"], "token_use": "access", "exp": 5, "nbf": 3}),
        );
        assert_eq!(verifier.check(&for_several, 4), Ok(()));
        assert_eq!(verifier.check(&for_several, 2), Err(Refused::TooEarly));
    }

    #[test]
    fn a_token_that_says_anything_else_is_refused() {
        let verifier = Verifier::new(JWKS, claims()).unwrap();
        let whole = json!({"iss": "https://issuer.example/pool", "aud": "client-1", "token_use": "access", "exp": 10});
        for (name, value, refused) in [
            ("iss", json!("https://issuer.example"), Refused::Issuer),
            ("aud", json!("client-2"), Refused::Audience),
            ("aud", json!([]), Refused::Audience),
            ("exp", json!("10"), Refused::Expired),
            ("exp", Value::Null, Refused::Expired),
            ("nbf", json!("0"), Refused::TooEarly),
            ("nbf", Value::Null, Refused::TooEarly),
            ("token_use", json!("id"), Refused::Use),
        ] {
            let mut changed = whole.clone();
            changed[name] = value;
            let token = token(&json!({"alg": "RS256", "kid": "tests-1"}), &changed);
            assert_eq!(verifier.check(&token, 1), Err(refused), "{name}");
        }
        for (header, refused) in [
            (json!({"alg": "none"}), Refused::Algorithm),
            (json!({"alg": "HS256", "kid": "tests-1"}), Refused::Algorithm),
            (json!({"alg": "RS256", "crit": ["b64"]}), Refused::Algorithm),
            (json!({"alg": "RS256", "kid": "tests-2"}), Refused::Key),
            (json!({}), Refused::Malformed),
        ] {
            assert_eq!(
                verifier.check(&token(&header, &whole), 1),
                Err(refused),
                "{header}"
            );
        }
    }

    #[test]
    fn no_cut_and_no_changed_letter_passes() {
        let verifier = Verifier::new(JWKS, claims()).unwrap();
        let token = good(10);
        for end in 0..token.len() {
            assert!(verifier.check(&token[..end], 1).is_err(), "cut at {end}");
        }
        let letters = token.char_indices().step_by(7);
        for (at, letter) in letters.filter(|&(at, _)| at + 1 < token.len()) {
            let other = if letter == 'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert!(verifier.check(&changed, 1).is_err(), "letter {at}");
        }
        assert_eq!(
            verifier.check(&"a.".repeat(MAX_TOKEN), 1),
            Err(Refused::Malformed)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn keys_without_end_are_not_read() {
        let refused = Verifier::load(Path::new("/dev/zero"), claims()).unwrap_err();
        assert!(
            format!("{refused:#}").contains("expected a regular file"),
            "{refused:#}"
        );
    }

    #[test]
    fn what_is_no_set_of_keys_is_refused() {
        for bytes in [
            &b"{}"[..],
            b"{\"keys\": []}",
            b"{\"keys\": [{\"kty\": \"EC\"}]}",
            b"keys",
        ] {
            assert!(Verifier::new(bytes, claims()).is_err());
        }
    }
}
