//! Key encapsulation: ML-KEM-768 and X25519, and the two joined as X-Wing.

use ml_kem::kem::FromSeed;
use ml_kem::{EncapsulationKey, MlKem768};
use serde_json::Value;
use x_wing::{Ciphertext, Decapsulate, DecapsulationKey, Decapsulator, KeyExport};
use x25519_dalek::{PublicKey, StaticSecret};

use super::{cases, hex, vectors};

#[test]
fn x_wing_draft_06() {
    let Some(file) = vectors("x_wing_draft_06", "acvp/x-wing-test-vectors.json") else {
        return;
    };
    let mut ran = 0;
    for test in file.as_array().unwrap() {
        let seed: [u8; 32] = hex(&test["sk"]).try_into().unwrap();
        let key = DecapsulationKey::from(seed);
        assert_eq!(key.encapsulation_key().to_bytes().to_vec(), hex(&test["pk"]));
        let randomness: [u8; 64] = hex(&test["eseed"]).try_into().unwrap();
        let (ciphertext, shared) = key
            .encapsulation_key()
            .encapsulate_deterministic(&randomness.into());
        assert_eq!(ciphertext.to_vec(), hex(&test["ct"]));
        assert_eq!(shared.to_vec(), hex(&test["ss"]));
        let read = Ciphertext::try_from(hex(&test["ct"]).as_slice()).unwrap();
        assert_eq!(key.decapsulate(&read).to_vec(), hex(&test["ss"]));
        ran += 1;
    }
    println!("x_wing_draft_06: {ran} vectors");
    assert!(ran > 0);
}

#[test]
fn ml_kem_768_from_seeds() {
    let name = "ml_kem_768_from_seeds";
    let (Some(keys), Some(file)) = (
        vectors(name, "wycheproof/mlkem_768_keygen_seed_test.json"),
        vectors(name, "wycheproof/mlkem_768_test.json"),
    ) else {
        return;
    };
    let (mut made, mut ran) = (0, 0);
    for (_, test) in cases(&keys) {
        let (_, public) = MlKem768::from_seed(&hex(&test["seed"]).as_slice().try_into().unwrap());
        assert_eq!(public.to_bytes().to_vec(), hex(&test["ek"]), "{}", test["tcId"]);
        made += 1;
    }
    for (_, test) in cases(&file) {
        let opened = || -> Option<Vec<u8>> {
            let seed = hex(&test["seed"]).as_slice().try_into().ok()?;
            let (secret, public) = MlKem768::from_seed(&seed);
            if let Some(ek) = test.get("ek") {
                assert_eq!(public.to_bytes().to_vec(), hex(ek), "{}", test["tcId"]);
            }
            let ciphertext = hex(&test["c"]).as_slice().try_into().ok()?;
            Some(secret.decapsulate(&ciphertext).to_vec())
        };
        match opened() {
            Some(shared) => assert_eq!(
                shared == hex(&test["K"]),
                test["result"] == "valid",
                "{}",
                test["tcId"]
            ),
            None => assert_eq!(test["result"], "invalid", "{}", test["tcId"]),
        }
        ran += 1;
    }
    println!("{name}: {made} keys, {ran} decapsulations");
    assert_eq!((made, ran), (100, 193));
}

/// The ciphertext and the shared key for a public key and a message, if it is a key.
fn encapsulated(test: &Value) -> Option<(Vec<u8>, Vec<u8>)> {
    let key = hex(&test["ek"]).as_slice().try_into().ok()?;
    let key = EncapsulationKey::<MlKem768>::new(&key).ok()?;
    let (ciphertext, shared) = key.encapsulate_deterministic(&hex(&test["m"]).as_slice().try_into().ok()?);
    Some((ciphertext.to_vec(), shared.to_vec()))
}

#[test]
fn ml_kem_768_encapsulation() {
    let name = "ml_kem_768_encapsulation";
    let Some(file) = vectors(name, "wycheproof/mlkem_768_encaps_test.json") else {
        return;
    };
    let mut ran = 0;
    for (_, test) in cases(&file) {
        let holds = encapsulated(test) == Some((hex(&test["c"]), hex(&test["K"])));
        assert_eq!(holds, test["result"] == "valid", "{}", test["tcId"]);
        ran += 1;
    }
    println!("{name}: {ran} vectors");
    assert_eq!(ran, 265);
}

#[test]
fn acvp_ml_kem_768() {
    let name = "acvp_ml_kem_768";
    let Some(file) = vectors(name, "acvp/ml-kem-encap-decap.json") else {
        return;
    };
    let (mut sealed, mut opened, mut others) = (0, 0, 0);
    for (group, test) in cases(&file) {
        if group["parameterSet"] != "ML-KEM-768" {
            others += 1;
        } else if group["function"] == "encapsulation" {
            assert_eq!(
                encapsulated(test),
                Some((hex(&test["c"]), hex(&test["k"]))),
                "{}",
                test["tcId"]
            );
            sealed += 1;
        } else {
            // NIST gives the expanded form of the secret key, which a record never holds.
            #[allow(deprecated, reason = "the form of these vectors")]
            let secret = ml_kem::DecapsulationKey::<MlKem768>::from_expanded(
                &hex(&group["dk"]).as_slice().try_into().unwrap(),
            )
            .unwrap();
            let shared = secret.decapsulate(&hex(&test["c"]).as_slice().try_into().unwrap());
            assert_eq!(
                shared.to_vec(),
                hex(&test["k"]),
                "{}: {}",
                test["tcId"],
                test["reason"]
            );
            opened += 1;
        }
    }
    println!(
        "{name}: {sealed} encapsulations, {opened} decapsulations, {others} of other sets not applicable"
    );
    assert_eq!((sealed, opened), (25, 10));
}

#[test]
fn x25519() {
    let Some(file) = vectors("x25519", "wycheproof/x25519_test.json") else {
        return;
    };
    let mut ran = 0;
    for (_, test) in cases(&file) {
        let point = |name: &str| -> [u8; 32] { hex(&test[name]).try_into().unwrap() };
        let shared = StaticSecret::from(point("private")).diffie_hellman(&PublicKey::from(point("public")));
        // `acceptable` are points of low order and twists, which this function computes as RFC 7748 has it.
        assert_eq!(shared.to_bytes(), point("shared"), "{}", test["tcId"]);
        assert_ne!(test["result"], "invalid", "{}", test["tcId"]);
        ran += 1;
    }
    println!("x25519: {ran} vectors");
    assert_eq!(ran, 518);
}
