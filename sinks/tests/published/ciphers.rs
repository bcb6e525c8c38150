//! Ciphers and the derivation of keys.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use aes_siv::siv::Aes256Siv;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::{Sha256, Sha512};

use super::{cases, hex, vectors};

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

/// The header MAC's.
#[test]
fn hmac_sha_256() {
    let Some(file) = vectors("hmac_sha_256", "wycheproof/hmac_sha256_test.json") else {
        return;
    };
    let (mut ran, mut other_sizes) = (0, 0);
    for (group, test) in cases(&file) {
        if group["tagSize"] != 256 {
            other_sizes += 1;
            continue;
        }
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&hex(&test["key"])).unwrap();
        mac.update(&hex(&test["msg"]));
        let holds = mac.verify_slice(&hex(&test["tag"])).is_ok();
        assert_eq!(holds, test["result"] == "valid", "{}", test["tcId"]);
        ran += 1;
    }
    println!("hmac_sha_256: {ran} vectors, {other_sizes} of shorter tags not applicable");
    assert!(ran > 80);
}
