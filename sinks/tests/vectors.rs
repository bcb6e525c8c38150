//! Published check values of what the record is built from. Each test prints how many it ran.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, not only tests"
)]

use std::fs;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use aes_siv::siv::Aes256Siv;
use hkdf::Hkdf;
use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsaParams, Signature, VerifyingKey};
use serde_json::Value;
use sha2::Sha512;
use x_wing::{Ciphertext, Decapsulate, DecapsulationKey, Decapsulator, KeyExport};

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

use shared_data::shared_data;

fn vectors(test: &str, path: &str) -> Option<Value> {
    let path = shared_data(test, &format!("vectors/{path}"))?;
    Some(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// Each test with its group.
fn cases(file: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = file["testGroups"].as_array().unwrap().iter();
    groups.flat_map(|group| {
        group["tests"]
            .as_array()
            .unwrap()
            .iter()
            .map(move |test| (group, test))
    })
}

#[test]
fn hkdf_sha_512() {
    let Some(file) = vectors("hkdf_sha_512", "wycheproof/hkdf_sha512_test.json") else {
        return;
    };
    let mut ran = 0;
    for (_, test) in cases(&file) {
        let mut output = vec![0; test["size"].as_u64().unwrap() as usize];
        let hkdf = Hkdf::<Sha512>::new(Some(&hex(&test["salt"])), &hex(&test["ikm"]));
        let expanded = hkdf.expand(&hex(&test["info"]), &mut output);
        let holds = expanded.is_ok() && output == hex(&test["okm"]);
        assert_eq!(holds, test["result"] == "valid", "{}", test["tcId"]);
        ran += 1;
    }
    println!("hkdf_sha_512: {ran} vectors");
    assert_eq!(ran, 83);
}

#[test]
fn aes_256_gcm() {
    let Some(file) = vectors("aes_256_gcm", "wycheproof/aes_gcm_test.json") else {
        return;
    };
    let (mut ran, mut other_sizes) = (0, 0);
    for (group, test) in cases(&file) {
        if group["keySize"] != 256 || group["ivSize"] != 96 || group["tagSize"] != 128 {
            other_sizes += 1;
            continue;
        }
        let cipher = Aes256Gcm::new_from_slice(&hex(&test["key"])).unwrap();
        let nonce = Nonce::try_from(hex(&test["iv"]).as_slice()).unwrap();
        let mut buffer = [hex(&test["ct"]), hex(&test["tag"])].concat();
        let opened = cipher.decrypt_in_place(&nonce, &hex(&test["aad"]), &mut buffer);
        let holds = opened.is_ok() && buffer == hex(&test["msg"]);
        assert_eq!(holds, test["result"] == "valid", "{}", test["tcId"]);
        ran += 1;
    }
    println!("aes_256_gcm: {ran} vectors, {other_sizes} of other key, nonce or tag sizes not applicable");
    assert!(ran > 60);
}

/// AES-SIV under a key of 64 bytes: what stands in `headers` is authenticated, the nonce last.
fn aes_siv_opens(test: &Value, headers: &[Vec<u8>], sealed: &[u8]) -> bool {
    let key: [u8; 64] = hex(&test["key"]).try_into().unwrap();
    let opened = Aes256Siv::new((&key).into()).decrypt(headers, sealed);
    let holds = opened.as_deref() == Ok(&hex(&test["msg"])[..]);
    if holds {
        let again = Aes256Siv::new((&key).into()).encrypt(headers, &hex(&test["msg"]));
        assert_eq!(again.as_deref(), Ok(sealed), "{}", test["tcId"]);
    }
    holds
}

#[test]
fn aead_aes_siv_cmac_512() {
    let path = "wycheproof/aead_aes_siv_cmac_test.json";
    let Some(file) = vectors("aead_aes_siv_cmac_512", path) else {
        return;
    };
    let (mut ran, mut other_sizes) = (0, 0);
    for (group, test) in cases(&file) {
        if group["keySize"] != 512 {
            other_sizes += 1;
            continue;
        }
        let sealed = [hex(&test["tag"]), hex(&test["ct"])].concat();
        let holds = aes_siv_opens(test, &[hex(&test["aad"]), hex(&test["iv"])], &sealed);
        assert_eq!(holds, test["result"] == "valid", "{}", test["tcId"]);
        ran += 1;
    }
    println!("aead_aes_siv_cmac_512: {ran} vectors, {other_sizes} of other key sizes not applicable");
    assert_eq!(ran, 300);
}

#[test]
fn aes_siv_cmac_512() {
    let Some(file) = vectors("aes_siv_cmac_512", "wycheproof/aes_siv_cmac_test.json") else {
        return;
    };
    let (mut ran, mut other_sizes) = (0, 0);
    for (group, test) in cases(&file) {
        if group["keySize"] != 512 {
            other_sizes += 1;
            continue;
        }
        let holds = aes_siv_opens(test, &[hex(&test["aad"])], &hex(&test["ct"]));
        assert_eq!(holds, test["result"] == "valid", "{}", test["tcId"]);
        ran += 1;
    }
    println!("aes_siv_cmac_512: {ran} vectors, {other_sizes} of other key sizes not applicable");
    assert_eq!(ran, 147);
}

fn ml_dsa_verify<P: MlDsaParams>(name: &str, path: &str) {
    let Some(file) = vectors(name, path) else { return };
    let mut ran = 0;
    for (group, test) in cases(&file) {
        let context = test.get("ctx").map(hex).unwrap_or_default();
        let key = EncodedVerifyingKey::<P>::try_from(hex(&group["publicKey"]).as_slice());
        let signature = Signature::<P>::try_from(hex(&test["sig"]).as_slice());
        let holds = match (key, signature) {
            (Ok(key), Ok(signature)) => {
                VerifyingKey::decode(&key).verify_with_context(&hex(&test["msg"]), &context, &signature)
            }
            _ => false,
        };
        assert_eq!(holds, test["result"] == "valid", "{}", test["tcId"]);
        ran += 1;
    }
    println!("{name}: {ran} vectors");
    assert!(ran >= 180);
}

#[test]
fn ml_dsa_44_verify() {
    ml_dsa_verify::<MlDsa44>("ml_dsa_44_verify", "wycheproof/mldsa_44_verify_test.json");
}

#[test]
fn ml_dsa_65_verify() {
    ml_dsa_verify::<MlDsa65>("ml_dsa_65_verify", "wycheproof/mldsa_65_verify_test.json");
}

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
