//! The wire format written by hand, after `docs/protocol.md`, so that tests can say what no type allows.

use landfast_protocol::frame::Kind;
use landfast_protocol::keys::SecretKey;

/// A frame around any bytes, properly signed.
pub fn frame(kind: Kind, body: &[u8], signer: &SecretKey, chain: &[u8]) -> Vec<u8> {
    let signed = [b"landfast/1/", kind.name().as_bytes(), b"\0", body].concat();
    let length = u16::try_from(chain.len()).unwrap().to_le_bytes();
    [b"LFST", &[1, kind as u8][..], &length, chain, signer.public().as_bytes(), &signer.sign(&signed), body]
        .concat()
}

/// A number, seven bits at a time, the lowest first.
pub fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

/// The same number with a needless last byte.
pub fn overlong(number: u64) -> Vec<u8> {
    let mut bytes = varint(number);
    *bytes.last_mut().unwrap() |= 0x80;
    bytes.push(0);
    bytes
}

/// Length and bytes: a text or a blob.
pub fn bytes(content: &[u8]) -> Vec<u8> {
    [varint(content.len() as u64), content.to_vec()].concat()
}

/// A text of `length` letters.
pub fn text(length: usize) -> Vec<u8> {
    bytes("x".repeat(length).as_bytes())
}

/// A list of `count` entries, each made from its place.
pub fn list(count: usize, entry: impl Fn(u16) -> Vec<u8>) -> Vec<u8> {
    let entries = (0..u16::try_from(count).unwrap()).flat_map(entry);
    varint(count as u64).into_iter().chain(entries).collect()
}

/// An option that holds something.
pub fn some(content: Vec<u8>) -> Vec<u8> {
    [vec![1], content].concat()
}

/// An identifier of `size` bytes that ends in `number`; they sort as the numbers do.
pub fn id(size: usize, number: u16) -> Vec<u8> {
    let mut id = vec![0; size - 2];
    id.extend(number.to_be_bytes());
    id
}

/// The encoded fields of a body, by name.
pub struct Fields(Vec<(&'static str, Vec<u8>)>);

impl Fields {
    pub fn with(mut self, name: &str, value: Vec<u8>) -> Self {
        let field = self.0.iter_mut().find(|field| field.0 == name);
        field.unwrap_or_else(|| panic!("no field {name}")).1 = value;
        self
    }

    pub fn field(&self, name: &str) -> Vec<u8> {
        self.0.iter().find(|field| field.0 == name).map(|field| field.1.clone()).unwrap_or_default()
    }

    pub fn body(&self) -> Vec<u8> {
        self.0.iter().flat_map(|field| field.1.clone()).collect()
    }
}

pub const ISSUER: [u8; 16] = [0x11; 16];

pub fn request() -> Fields {
    Fields(vec![
        ("issuer", ISSUER.to_vec()),
        ("counter", varint(7)),
        ("nonce", vec![0; 16]),
        ("previous", vec![0]),
        ("listed", vec![0]),
        ("clock", vec![0, 0, 0]),
        ("agent", text(0)),
        ("os", text(0)),
        ("kernel", text(0)),
        ("architecture", text(0)),
        ("cpus", vec![0]),
        ("memory", vec![0]),
        ("needs", vec![0]),
        ("label", vec![0]),
        ("virtual", vec![0]),
        ("factors", vec![0]),
        ("planned_change_used", vec![0]),
        ("operations", vec![0]),
    ])
}

pub fn response() -> Fields {
    Fields(vec![
        ("issuer", ISSUER.to_vec()),
        ("device", vec![0; 32]),
        ("answers", [vec![1, 7], vec![0; 32], vec![0]].concat()),
        ("issued_at", vec![0]),
        ("results", vec![0]),
        ("grant", vec![0]),
        ("revocations", vec![0]),
    ])
}

pub fn grant() -> Fields {
    Fields(vec![
        ("issuer", ISSUER.to_vec()),
        ("device", vec![0; 32]),
        ("epoch", vec![0]),
        ("sequence", vec![0]),
        ("executed", vec![0]),
        ("issued_at", vec![0]),
        ("tokens", vec![0]),
        ("binding", vec![0]),
        ("weights", vec![30, 30, 30, 30, 20, 15, 10, 5, 5, 5]),
        ("bound", varint(750)),
        ("drifted", varint(500)),
        ("minimum", varint(30)),
        ("grace", varint(14 * 86_400)),
        ("lease_until", vec![0]),
        ("hold", vec![0]),
        ("planned_change", vec![0]),
        ("max_off", varint(180 * 86_400)),
    ])
}

/// A token's fields up to its features.
pub fn token_head(number: u16, product: Vec<u8>, quantity: Vec<u8>) -> Vec<u8> {
    [id(16, number), product, vec![0], quantity, vec![0, 0, 0]].concat()
}

pub fn token(number: u16) -> Vec<u8> {
    [token_head(number, text(0), vec![1]), vec![0]].concat()
}

pub fn feature(name: Vec<u8>, limit: Vec<u8>) -> Vec<u8> {
    [name, vec![1], limit, vec![0]].concat()
}

/// A grant with one token of these features.
pub fn grant_with_features(features: Vec<u8>) -> Vec<u8> {
    let token = [token_head(1, text(0), vec![1]), features].concat();
    grant().with("tokens", [vec![1], token].concat()).body()
}

pub fn certificate(issuer: [u8; 16], key: &[u8; 32], window: (u64, u64)) -> Vec<u8> {
    [&issuer[..], key, &[0], &varint(window.0), &varint(window.1)].concat()
}

pub fn operation(number: u16, kind: u64, body: &[u8]) -> Vec<u8> {
    [id(16, number), varint(kind), bytes(body)].concat()
}

/// The order of the group, little-endian (RFC 8032, section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A frame without a chain, the order of the group added to the second half of its signature: the sum satisfies
/// the equation of a verifier that does not look.
pub fn with_unreduced_scalar(mut frame: Vec<u8>) -> Vec<u8> {
    let mut carry = 0u16;
    for (byte, order) in frame[72..104].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = u8::try_from(carry & 0xff).unwrap();
        carry >>= 8;
    }
    assert_eq!(carry, 0);
    frame
}

/// The plain request above, signed by the sample device with a nonce of zero: the first half of the signature is
/// the neutral point, of small order, and the equation holds. Only the holder of the key can make one.
pub fn request_with_small_nonce(device: &SecretKey) -> Vec<u8> {
    const SCALAR: [u8; 32] = [
        0xe7, 0xce, 0xb2, 0x26, 0x55, 0x56, 0x49, 0x70, 0x2f, 0x69, 0x8e, 0xb4, 0xee, 0x95, 0x9e, 0x4c, 0x4b,
        0x5e, 0x4b, 0xc9, 0x69, 0x60, 0x10, 0xfa, 0xe5, 0x27, 0x9e, 0x77, 0xff, 0x0d, 0xd0, 0x01,
    ];
    let mut bytes = frame(Kind::Request, &request().body(), device, &[]);
    bytes[40..72].fill(0);
    bytes[40] = 1;
    bytes[72..104].copy_from_slice(&SCALAR);
    bytes
}
