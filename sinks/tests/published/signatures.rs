//! ML-DSA: those of a record are of sets 44 and 65.

use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsaParams, Signature, SigningKey, VerifyingKey};

use super::{cases, hex, vectors};

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

/// Deterministic signatures from a seed. A record's own are made so, by an empty or its own context.
fn ml_dsa_sign<P: MlDsaParams>(name: &str, path: &str) {
    let Some(file) = vectors(name, path) else { return };
    let (mut ran, mut others) = (0, 0);
    for (group, test) in cases(&file) {
        let seed = hex(&group["privateSeed"]);
        // Random ones and those of a hashed message are made in no record.
        let (Ok(seed), Some(message), None) = (seed.as_slice().try_into(), test.get("msg"), test.get("rnd"))
        else {
            others += 1;
            continue;
        };
        let key = SigningKey::<P>::from_seed(&seed);
        let context = test.get("ctx").map(hex).unwrap_or_default();
        let signed = key.expanded_key().sign_deterministic(&hex(message), &context);
        let holds = signed.is_ok_and(|signature| signature.encode().to_vec() == hex(&test["sig"]));
        assert_eq!(holds, test["result"] == "valid", "{}", test["tcId"]);
        ran += 1;
    }
    println!("{name}: {ran} vectors, {others} random, of hashed messages or without a seed not applicable");
    assert!(ran >= 60);
}

#[test]
fn ml_dsa_44_sign() {
    ml_dsa_sign::<MlDsa44>("ml_dsa_44_sign", "wycheproof/mldsa_44_sign_seed_test.json");
}

#[test]
fn ml_dsa_65_sign() {
    ml_dsa_sign::<MlDsa65>("ml_dsa_65_sign", "wycheproof/mldsa_65_sign_seed_test.json");
}

/// How many of NIST's cases of a set hold as they should.
fn acvp<P: MlDsaParams>(file: &serde_json::Value, set: &str) -> usize {
    let of_set = cases(file).filter(|(group, _)| group["parameterSet"] == set);
    let checked = of_set.map(|(group, test)| {
        let key = EncodedVerifyingKey::<P>::try_from(hex(&group["pk"]).as_slice()).unwrap();
        let signature = Signature::<P>::try_from(hex(&test["signature"]).as_slice());
        let holds = signature.is_ok_and(|signature| {
            VerifyingKey::decode(&key).verify_internal(&hex(&test["message"]), &signature)
        });
        assert_eq!(
            holds,
            test["testPassed"] == true,
            "{set} {}: {}",
            test["tcId"],
            test["reason"]
        );
    });
    checked.count()
}

#[test]
fn acvp_ml_dsa_signature_verification() {
    let name = "acvp_ml_dsa_signature_verification";
    let Some(file) = vectors(name, "acvp/ml-dsa-sig-ver.json") else {
        return;
    };
    let ran = [
        acvp::<MlDsa44>(&file, "ML-DSA-44"),
        acvp::<MlDsa65>(&file, "ML-DSA-65"),
    ];
    let others = cases(&file).count() - ran[0] - ran[1];
    println!(
        "{name}: {} of ML-DSA-44, {} of ML-DSA-65, {others} of ML-DSA-87 not applicable",
        ran[0], ran[1]
    );
    assert_eq!(ran, [15, 15]);
}
