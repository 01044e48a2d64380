use super::*;
use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use p256::SecretKey;

fn ecc_area(key: &PublicKey) -> Vec<u8> {
    let affine = key.as_affine();
    [
        &ECC.to_be_bytes()[..],
        &SHA256_AND_ATTRIBUTES,
        &POLICY,
        &CIPHER,
        &CURVE,
        &[0, 32],
        &<[u8; 32]>::from(affine.x()),
        &[0, 32],
        &<[u8; 32]>::from(affine.y()),
    ]
    .concat()
}

fn secret_key(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).unwrap()
}

/// What the TPM does with the private half.
fn open(key: &SecretKey, name: &[u8; NAME_LENGTH], credential: &Credential) -> Option<Vec<u8>> {
    let [x, y] = numbers(&credential.encrypted_secret)?;
    let theirs = PublicKey::from_sec1_bytes(&[&[4][..], x, y].concat()).ok()?;
    let shared = (theirs.to_projective() * *key.to_nonzero_scalar()).to_affine();
    let own_x = <[u8; 32]>::from(key.public_key().as_affine().x());
    let seed = kdfe(&shared.x().into(), b"IDENTITY", x, &own_x);
    let (mac, encrypted) = credential.id_object.strip_prefix(&[0, 32])?.split_at(32);
    if integrity(&seed, encrypted, name) != mac {
        return None;
    }
    let cipher = Aes128::new(&(*kdfa(&seed, b"STORAGE", name)).into());
    let mut plain = Vec::new();
    let mut mask = aes::Block::default();
    for chunk in encrypted.chunks(16) {
        cipher.encrypt_block(&mut mask);
        plain.extend(chunk.iter().zip(&mask).map(|(byte, mask)| byte ^ mask));
        mask[..chunk.len()].copy_from_slice(chunk);
    }
    plain.strip_prefix(&[0, 32]).map(<[u8]>::to_vec)
}

#[test]
fn the_right_key_opens_and_others_do_not() {
    let key = secret_key(1);
    let endorsement = EndorsementKey::from_public_area(&ecc_area(&key.public_key())).unwrap();
    let credential = make_credential(&endorsement, &[3; NAME_LENGTH], &[5; 32], &[7; 64]);
    assert_eq!(open(&key, &[3; NAME_LENGTH], &credential).unwrap(), [5; 32]);
    assert_eq!(open(&secret_key(2), &[3; NAME_LENGTH], &credential), None, "another TPM");
    assert_eq!(open(&key, &[4; NAME_LENGTH], &credential), None, "another key in the same TPM");
    for at in 0..credential.id_object.len() {
        let mut changed = credential.clone();
        changed.id_object[at] ^= 1;
        assert_eq!(open(&key, &[3; NAME_LENGTH], &changed), None, "byte {at}");
    }
}

#[test]
fn the_same_randomness_gives_the_same_bytes_and_other_randomness_others() {
    let endorsement = EndorsementKey::from_public_area(&ecc_area(&secret_key(1).public_key())).unwrap();
    let made = |random: u8| make_credential(&endorsement, &[3; NAME_LENGTH], &[5; 32], &[random; 64]);
    assert_eq!(made(1), made(1));
    assert_ne!(made(1).encrypted_secret, made(2).encrypted_secret);
    assert_ne!(made(1).id_object, made(2).id_object);
}

#[test]
fn keys_of_any_other_form_are_refused() {
    let good = ecc_area(&secret_key(1).public_key());
    assert_eq!(EndorsementKey::from_public_area(&good).unwrap().factor_value().len(), 64);
    for length in 0..good.len() {
        assert_eq!(EndorsementKey::from_public_area(&good[..length]), Err(CredentialError::Form), "{length}");
    }
    assert_eq!(EndorsementKey::from_public_area(&[&good[..], &[0]].concat()), Err(CredentialError::Form));
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 0x40;
        assert!(EndorsementKey::from_public_area(&changed).is_err(), "byte {at}");
    }
}
