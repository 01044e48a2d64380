//! Things that only pretend to be a TPM, and one that hangs.

use super::Machine;
use landfast_hardware::fixture::FieldServer;
use landfast_hardware::tpm::{CounterIndex, Sealed, Tpm, TpmDevice, TpmError, Transport};
use landfast_hardware::{Collector, Root};
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::Reading;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;
use zeroize::Zeroizing;

const INDEX: CounterIndex = CounterIndex::new(1);

/// Everything that is asked of a TPM, and that must end with an error here.
fn ask_everything(mut open: impl FnMut() -> Tpm) -> Vec<TpmError> {
    vec![
        open().endorsement_area().unwrap_err(),
        open().possession_name(&[1; 32]).unwrap_err(),
        open().open_credential(&[1; 32], &[0; 68], &[0; 68]).unwrap_err(),
        open().counter(INDEX).unwrap_err(),
        open().create_counter(INDEX).unwrap_err(),
        open().advance_counter(INDEX).unwrap_err(),
        open().remove_counter(INDEX).unwrap_err(),
        open().seal(&[1], None).unwrap_err(),
    ]
}

/// Answers every command with the same bytes.
#[derive(Debug)]
struct Always(Vec<u8>);

impl Transport for Always {
    fn exchange(&mut self, _: &[u8], _: Duration) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        Ok(Zeroizing::new(self.0.clone()))
    }
}

fn framed(tag: u16, code: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(10 + body.len()).unwrap();
    [&tag.to_be_bytes()[..], &length.to_be_bytes(), &code.to_be_bytes(), body].concat()
}

#[test]
fn b6_garbage_is_called_nonsense() {
    let garbage = [
        vec![],
        vec![0x80],
        vec![0; 10],
        vec![0xff; 4096],
        framed(0x8001, 0, &[])[..9].to_vec(),
        [framed(0x8001, 0, &[]), vec![0]].concat(),
        framed(0x1234, 0, &[0; 40]),
        framed(0x8002, 0, &[]),
        framed(0x8002, 0, &[0xff; 100]),
        framed(0x8001, 0, &[0xff; 100]),
    ];
    for answer in garbage {
        for error in ask_everything(|| Tpm::new(Box::new(Always(answer.clone())))) {
            assert!(matches!(error, TpmError::Nonsense(_)), "{answer:02x?}: {error:?}");
        }
    }
}

#[test]
fn b6_no_bytes_bring_it_down() {
    // From a fixed seed, so that a failure comes again (numbers of Knuth's MMIX).
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 56).unwrap()
    };
    for _ in 0..2000 {
        let length = usize::from(next());
        let body: Vec<u8> = (0..length).map(|_| next()).collect();
        let tag = if next() % 2 == 0 { 0x8001 } else { 0x8002 };
        let code = if next() % 4 == 0 { u32::from(next()) << 4 | u32::from(next()) } else { 0 };
        let answer = framed(tag, code, &body);
        let mut tpm = Tpm::new(Box::new(Always(answer)));
        let _ = tpm.endorsement_area();
        let _ = tpm.open_credential(&[1; 32], &[0; 68], &[0; 68]);
        let _ = tpm.create_counter(INDEX);
        let _ = tpm.seal(&[1], None).map(|sealed| tpm.unseal(&sealed, None));
        let _ = tpm.unseal(&Sealed::from_bytes(body), None);
    }
}

#[test]
fn b6_answers_that_were_cut_or_changed_are_never_believed() {
    let Some(machine) = Machine::new() else { return };
    let good = machine.open().endorsement_area().unwrap();
    for at in (0..400).step_by(7) {
        for change in [Change::Flip(at), Change::Cut(at)] {
            let link = machine.chip().link().unwrap();
            let mut tpm = Tpm::new(Box::new(Changing { link, change }));
            // A changed number is another key, which is what it then is; what must not happen is a crash or a hang.
            match tpm.endorsement_area() {
                Ok(area) => assert!(area == good || matches!(change, Change::Flip(_)), "{change:?}"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
            drop(tpm);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Flip(usize),
    Cut(usize),
}

/// Changes each answer on the way.
#[derive(Debug)]
struct Changing {
    link: UnixStream,
    change: Change,
}

impl Transport for Changing {
    fn exchange(&mut self, command: &[u8], _: Duration) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        let mut answer = landfast_hardware::fixture::Swtpm::exchange(&mut self.link, command).unwrap();
        match self.change {
            Change::Flip(at) if at < answer.len() => answer[at] ^= 0x11,
            Change::Cut(at) if at < answer.len() => {
                answer.truncate(at);
                let length = u32::try_from(at).unwrap().to_be_bytes();
                if at >= 6 {
                    answer[2..6].copy_from_slice(&length);
                }
            }
            _ => {}
        }
        Ok(Zeroizing::new(answer))
    }
}

#[test]
fn b6_each_trouble_has_its_own_name() {
    let named = [
        (0x921, "locked after too many wrong passwords"),
        (0x922, "busy"),
        (0x9a2, "no right to use the TPM"),
        (0x902, "no room left"),
        (0x185, "no TPM 2.0 to use"),
        (0x101, "TPM_RC_FAILURE"),
    ];
    for (code, name) in named {
        for error in ask_everything(|| Tpm::new(Box::new(Always(framed(0x8001, code, &[]))))) {
            assert!(error.to_string().contains(name), "{code:x}: {error}");
        }
    }
}

/// A root in which `serve` is where the TPM should be.
fn pretender(root: &Path, mut serve: impl FnMut(UnixStream) -> bool + Send + 'static) -> JoinHandle<()> {
    std::fs::create_dir_all(root.join("dev")).unwrap();
    let listener = UnixListener::bind(root.join("dev/tpmrm0")).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if !serve(stream.unwrap()) {
                return;
            }
        }
    })
}

fn errors_of(serve: impl FnMut(UnixStream) -> bool + Send + 'static) -> TpmError {
    let directory = tempfile::tempdir().unwrap();
    let thread = pretender(directory.path(), serve);
    let error = TpmDevice::new(Root::new(directory.path())).open().unwrap().endorsement_area().unwrap_err();
    thread.join().unwrap();
    error
}

fn take_command(stream: &mut UnixStream) {
    let mut command = [0; 22];
    stream.read_exact(&mut command).unwrap();
}

#[test]
fn b6_a_line_that_breaks_floods_or_lies_is_called_nonsense() {
    let cases: [(&str, &[u8]); 6] = [
        ("ends before", &[]),
        ("ends within the head", &[0x80, 1, 0]),
        ("ends within the body", &[0x80, 1, 0, 0, 0, 100, 0, 0, 0, 0, 1]),
        ("states too much", &[0x80, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
        ("states too little", &[0x80, 1, 0, 0, 0, 9, 0, 0, 0, 0]),
        ("states less than it sends", &[0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0, 1, 2, 3]),
    ];
    for (name, answer) in cases {
        let answer = answer.to_vec();
        let error = errors_of(move |mut stream| {
            take_command(&mut stream);
            stream.write_all(&answer).unwrap();
            false
        });
        assert!(matches!(error, TpmError::Nonsense(_)), "{name}: {error:?}");
    }
    let endless = errors_of(|mut stream| {
        take_command(&mut stream);
        while stream.write_all(&[0x80; 4096]).is_ok() {}
        false
    });
    assert!(matches!(endless, TpmError::Nonsense(_)), "{endless:?}");
    let deaf = errors_of(|stream| {
        drop(stream);
        false
    });
    assert!(matches!(deaf, TpmError::Nonsense(_) | TpmError::Other { .. }), "{deaf:?}");
}

#[test]
fn b6_a_tpm_that_hangs_holds_nobody_up_and_is_asked_again_once_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(1).write(directory.path()).unwrap();
    let (held, streams) = channel();
    let _server = pretender(directory.path(), move |stream| held.send(stream).is_ok());
    let patience = Duration::from_millis(50);
    let device = TpmDevice::new(Root::new(directory.path())).with_patience(patience);
    let mut tpm = device.open().unwrap();
    assert_eq!(tpm.endorsement_area(), Err(TpmError::Hang(patience)));
    assert_eq!(tpm.counter(INDEX), Err(TpmError::Hang(patience)), "the conversation is over");
    drop(tpm);
    // No second thread is given to it while the first one is held.
    for _ in 0..100 {
        assert_eq!(device.open().err(), Some(TpmError::Hang(patience)));
    }
    let collector = Collector::of_recording(server.root()).with_tpm(device.clone());
    let reading = crate::common::single(&collector.collect(), Factor::TpmKey);
    assert!(matches!(&reading, Reading::Unreadable(why) if why.contains("not answered")), "{reading:?}");
    // It lets go: the next conversation reaches it again.
    let deadline = Duration::from_secs(60);
    drop(streams.recv_timeout(deadline).unwrap());
    let mut again = None;
    for _ in 0..6000 {
        again = device.open().ok();
        if again.is_some() {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let mut again = again.expect("the device is opened again");
    assert_eq!(again.endorsement_area(), Err(TpmError::Hang(patience)));
    drop(streams.recv_timeout(deadline).unwrap());
}

#[test]
fn b6_a_tpm_that_others_locked_out_still_serves() {
    let Some(machine) = Machine::new() else { return };
    let sealed = machine.open().seal(b"device key", Some(&[4; 32])).unwrap();
    let first = machine.open().create_counter(INDEX).unwrap();
    // Somebody else's memory, with a password that is guarded against guessing.
    let mut define = vec![0x80, 2, 0, 0, 0, 48, 0, 0, 1, 0x2a, 0x40, 0, 0, 1];
    define.extend([0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0, 3, b'p', b'w', b'd']);
    define.extend([0, 14, 0x01, 0x80, 0, 1, 0, 0x0b, 0, 0x06, 0, 0x06, 0, 0, 0, 8]);
    assert_eq!(machine.chip().send(&define).unwrap()[6..10], [0; 4]);
    let mut write = vec![0x80, 2, 0, 0, 0, 46, 0, 0, 1, 0x37, 0x01, 0x80, 0, 1, 0x01, 0x80, 0, 1];
    write.extend([0, 0, 0, 12, 0x40, 0, 0, 9, 0, 0, 0, 0, 3, b'b', b'a', b'd']);
    write.extend([0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0]);
    let codes: Vec<u32> = (0..40)
        .map(|_| {
            machine.chip().send(&write).unwrap()[6..10]
                .iter()
                .fold(0, |code, byte| code << 8 | u32::from(*byte))
        })
        .collect();
    assert!(codes.contains(&0x921), "it locks itself: {codes:x?}");
    assert_eq!(**machine.open().unseal(&sealed, Some(&[4; 32])).unwrap(), *b"device key");
    assert_eq!(machine.open().advance_counter(INDEX), Ok(Some(first + 1)));
    assert!(machine.open().endorsement_area().is_ok());
}
