use super::*;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;

const ISSUER: &str = r#"
name = "example"
id = "000102030405060708090a0b0c0d0e0f"
roots = ["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"]
addresses = ["https://licenses.example.com", "https://[::1]:8443/under/path/"]
"#;

/// A configuration directory as it should be.
struct Fixture {
    directory: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { directory: tempfile::tempdir().unwrap() };
        for name in ["", "agent.d", "issuers.d"] {
            std::fs::create_dir_all(fixture.path(name)).unwrap();
            fixture.mode(name, 0o755);
        }
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("landfast").join(name)
    }

    fn file(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.path(name), text).unwrap();
        self.mode(name, 0o644)
    }

    fn mode(&self, name: &str, mode: u32) -> &Self {
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn load(&self) -> Result<Settings, ConfigError> {
        load(&self.path(""), Owners::RootOrSelf)
    }

    fn refusal(&self) -> String {
        self.load().unwrap_err().to_string()
    }
}

/// Every message names the file, the key and the reason, and ends with the next step.
#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
    assert!(message.contains("; "), "no next step in: {message}");
}

#[test]
fn an_empty_directory_gives_the_defaults() {
    let settings = Fixture::new().load().unwrap();
    assert_eq!(settings.label, None);
    assert_eq!(settings.online.proxy, None);
    assert_eq!(settings.local.http_listen, None, "no port is open unless configured (P9)");
    assert_eq!(settings.local.connections, 64);
    assert_eq!(settings.debounce.as_millis(), 2000);
    assert_eq!(settings.trust, "development");
    assert!(settings.issuers.is_empty());
}

#[test]
fn the_shipped_example_is_valid_and_shows_every_key() {
    let example = include_str!("example.toml");
    let fixture = Fixture::new();
    let settings = fixture.file("agent.toml", example).load().unwrap();
    assert_eq!(settings.label.as_deref(), Some("Pump station 7, cabinet 2"));
    let defaults = Fixture::new().load().unwrap();
    assert_eq!(
        (settings.log, settings.debounce, settings.local.connections),
        (defaults.log, defaults.debounce, defaults.local.connections)
    );
    for key in [
        "label",
        "log",
        "proxy",
        "connect_timeout_s",
        "exchange_timeout_s",
        "http_listen",
        "connections",
        "debounce_ms",
    ] {
        assert!(example.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key} is not shown");
    }
}

#[test]
fn later_fragments_win_key_by_key() {
    let fixture = Fixture::new();
    fixture
        .file("agent.toml", "label = \"one\"\n[local]\nconnections = 3\n[online]\nconnect_timeout_s = 4\n")
        .file("agent.d/20-b.toml", "label = \"three\"\n")
        .file("agent.d/10-a.toml", "label = \"two\"\n[local]\nconnections = 5\n")
        .file("agent.d/30-c.toml.bak", "label = \"a copy that an editor left\"\n")
        .file("agent.d/.40-d.toml", "label = \"hidden\"\n");
    let settings = fixture.load().unwrap();
    assert_eq!(settings.label.as_deref(), Some("three"));
    assert_eq!(settings.local.connections, 5);
    assert_eq!(settings.online.connect_timeout.as_secs(), 4);
}

#[test]
fn each_bad_setting_is_named_with_its_next_step() {
    let cases: &[(&str, &[&str])] = &[
        ("lable = \"x\"", &["lable", "did you mean `label`?"]),
        ("[local]\nconections = 3", &["local.conections", "did you mean `local.connections`?"]),
        ("[lokal]\nconnections = 3", &["lokal", "did you mean `local`?"]),
        ("telemetry = true", &["telemetry", "known here are label"]),
        ("label = 7", &["label", "it is an integer", "text in quotes"]),
        ("label = \"\"", &["label", "it is empty"]),
        ("label = \"a\\nb\"", &["label", "control character"]),
        ("log = \"loud\"", &["log", "`loud`", "debug"]),
        ("local = 3", &["local", "a section"]),
        ("[local]\nconnections = 0", &["local.connections", "0 is out of range", "from 1 to 1024"]),
        ("[local]\nconnections = -1", &["local.connections", "-1 is out of range"]),
        ("[local]\nhttp_listen = \"0.0.0.0:80\"", &["local.http_listen", "from other machines"]),
        ("[local]\nhttp_listen = \"localhost\"", &["local.http_listen", "no address with a port"]),
        ("[online]\nproxy = \"https://p:1\"", &["online.proxy", "http://"]),
        ("[online]\nproxy = \"http://p\"", &["online.proxy", "names no port"]),
        ("[online]\nexchange_timeout_s = 0", &["online.exchange_timeout_s", "out of range"]),
        ("[online]\nexchange_timeout_s = 101", &["online.exchange_timeout_s", "from 1 to 100"]),
        ("[hardware]\ndebounce_ms = 1", &["hardware.debounce_ms", "out of range"]),
        ("label = \"x\"\nlog = \n", &["line 2"]),
        ("label = \"x\"\nlabel = \"y\"\n", &["line 2"]),
    ];
    for (text, parts) in cases {
        let fixture = Fixture::new();
        let message = fixture.file("agent.toml", text).refusal();
        assert_says(&message, &["agent.toml"]);
        assert_says(&message, parts);
    }
}

#[test]
fn a_bad_value_names_the_fragment_that_holds_it() {
    let fixture = Fixture::new();
    fixture.file("agent.toml", "log = \"info\"\n").file("agent.d/50-x.toml", "log = \"shout\"\n");
    assert_says(&fixture.refusal(), &["agent.d/50-x.toml", "log", "`shout`"]);
}

#[test]
fn passwords_in_urls_are_refused_and_not_repeated() {
    let fixture = Fixture::new();
    let message = fixture.file("agent.toml", "[online]\nproxy = \"http://user:s3cret@p:1\"\n").refusal();
    assert_says(&message, &["online.proxy", "password"]);
    assert!(!message.contains("s3cret"), "{message}");
}

#[test]
fn an_issuer_is_read_whole() {
    let fixture = Fixture::new();
    let settings = fixture.file("issuers.d/example.toml", ISSUER).load().unwrap();
    let issuer = &settings.issuers[0];
    assert_eq!(issuer.name, "example");
    assert_eq!(issuer.id.to_string(), "000102030405060708090a0b0c0d0e0f");
    assert_eq!(issuer.roots.len(), 1);
    assert_eq!(issuer.addresses[0].endpoint, "/v1/exchange");
    assert_eq!((issuer.addresses[0].host.as_str(), issuer.addresses[0].port), ("licenses.example.com", 443));
    assert_eq!(issuer.addresses[1].endpoint, "/under/path/v1/exchange");
    assert_eq!((issuer.addresses[1].host.as_str(), issuer.addresses[1].port), ("::1", 8443));
    assert_eq!(issuer.addresses[1].to_string(), "https://[::1]:8443/under/path");
    let shown = settings.to_string();
    for part in ["issuer example", "https://licenses.example.com", "TLS roots: of the system"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn each_bad_issuer_is_named_with_its_next_step() {
    let replaced = |from: &str, to: &str| {
        assert!(ISSUER.contains(from));
        ISSUER.replace(from, to)
    };
    let root = "\"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"";
    let weak = format!("\"{}\"", "00".repeat(32));
    let cases: &[(String, &[&str])] = &[
        (replaced("addresses", "adresses"), &["adresses", "did you mean `addresses`?"]),
        (format!("{ISSUER}\nextra = 1\n"), &["extra", "known here are name, id, roots, addresses, ca"]),
        (replaced("name = \"example\"", ""), &["name", "it is missing"]),
        (replaced("\"example\"", "\"Ex ample\""), &["name", "lower-case letters"]),
        (replaced("id = ", "# "), &["id", "it is missing"]),
        (replaced("0001020304", "zz01020304"), &["id", "32 hexadecimal digits"]),
        (replaced(root, ""), &["roots", "it holds 0 keys"]),
        (replaced(root, "\"12\""), &["roots", "`12` is no Ed25519 public key"]),
        (replaced(root, &weak), &["roots", "is no Ed25519 public key"]),
        (replaced("roots = [", "roots = [3, "), &["roots", "it is an integer"]),
        (replaced("https://licenses", "http://licenses"), &["addresses", "does not start with https://"]),
        (replaced("licenses.example.com", "user:pw@licenses"), &["addresses", "password"]),
        (replaced("licenses.example.com", "licenses.example.com?x=1"), &["addresses", "query"]),
        (replaced("licenses.example.com", "licenses..example"), &["addresses", "neither a host name"]),
        (format!("{ISSUER}ca = \"nothing\"\n"), &["ca", "holds no certificate"]),
        (
            format!("{ISSUER}ca = '''\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'''\n"),
            &["ca", "unusable certificate"],
        ),
    ];
    for (text, parts) in cases {
        let fixture = Fixture::new();
        let message = fixture.file("issuers.d/example.toml", text).refusal();
        assert_says(&message, &["issuers.d/example.toml"]);
        assert_says(&message, parts);
    }
}

#[test]
fn two_files_for_one_issuer_are_refused() {
    let fixture = Fixture::new();
    fixture.file("issuers.d/a.toml", ISSUER).file("issuers.d/b.toml", ISSUER);
    assert_says(&fixture.refusal(), &["b.toml: name", "a.toml has the same name"]);
    fixture.file("issuers.d/b.toml", &ISSUER.replace("\"example\"", "\"other\""));
    assert_says(&fixture.refusal(), &["b.toml: id", "a.toml has the same id"]);
}

#[test]
fn p11_what_others_can_write_is_not_trusted() {
    for name in ["", "issuers.d", "issuers.d/example.toml", "agent.toml", "agent.d"] {
        let fixture = Fixture::new();
        fixture.file("issuers.d/example.toml", ISSUER).file("agent.toml", "").file("agent.d/a.toml", "");
        fixture.load().unwrap();
        for mode in [0o020, 0o002] {
            let usual = if name.contains('.') && !name.ends_with(".d") { 0o644 } else { 0o755 };
            let message = fixture.mode(name, usual | mode).refusal();
            assert_says(
                &message,
                &[&fixture.path(name).display().to_string(), "others can write it", "chmod go-w"],
            );
            fixture.mode(name, usual);
        }
        fixture.load().unwrap();
    }
}

#[test]
fn p11_what_others_own_is_not_trusted() {
    let fixture = Fixture::new();
    fixture.file("issuers.d/example.toml", ISSUER);
    let path = fixture.path("issuers.d/example.toml");
    if rustix::process::geteuid().is_root() {
        chown(&path, Some(12_345), None).unwrap();
        assert_says(
            &fixture.refusal(),
            &["example.toml", "belongs to user 12345", "own user may own it", "chown"],
        );
        chown(&path, Some(0), None).unwrap();
        load(&fixture.path(""), Owners::Root).unwrap();
        chown(fixture.path("issuers.d"), Some(12_345), None).unwrap();
        assert_says(&fixture.refusal(), &["issuers.d", "belongs to user 12345"]);
    } else {
        fixture.load().unwrap();
        let message = load(&fixture.path(""), Owners::Root).unwrap_err().to_string();
        assert_says(&message, &["only root may own it", "chown root:root"]);
    }
}

#[test]
fn p11_links_are_judged_by_what_they_lead_to() {
    let fixture = Fixture::new();
    let outside = fixture.directory.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let target = outside.join("example.toml");
    std::fs::write(&target, ISSUER).unwrap();
    symlink(&target, fixture.path("issuers.d/example.toml")).unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&outside, 0o755);
    mode(&target, 0o644);
    assert_eq!(fixture.load().unwrap().issuers.len(), 1);
    mode(&target, 0o666);
    assert_says(&fixture.refusal(), &["example.toml", "others can write it"]);
    mode(&target, 0o644);
    mode(&outside, 0o777);
    assert_says(&fixture.refusal(), &["outside", "others can write it"]);
}

#[test]
fn p11_a_configuration_directory_is_judged_on_the_whole_way_to_it() {
    let fixture = Fixture::new();
    fixture.file("issuers.d/example.toml", ISSUER);
    let top = fixture.directory.path().canonicalize().unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let hall = top.join("hall");
    std::fs::create_dir(&hall).unwrap();
    mode(&hall, 0o755);
    // Links to links, relative and absolute.
    let (first, second) = (hall.join("first"), hall.join("second"));
    symlink("./../hall/second", &first).unwrap();
    symlink(fixture.path("").canonicalize().unwrap(), &second).unwrap();
    let refusal = |path: &Path| load(path, Owners::RootOrSelf).unwrap_err().to_string();
    assert_eq!(load(&first, Owners::RootOrSelf).unwrap().issuers.len(), 1);
    mode(&hall, 0o777);
    assert_says(&refusal(&first), &["hall", "others can write it", "chmod go-w"]);
    mode(&hall, 0o1777);
    load(&first, Owners::RootOrSelf).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::lchown(&second, Some(12_345), None).unwrap();
        assert_says(&refusal(&first), &["hall/second", "belongs to user 12345"]);
        std::os::unix::fs::lchown(&second, Some(0), None).unwrap();
    }
    mode(&hall, 0o755);
    mode(&top, 0o777);
    assert_says(&refusal(&first), &["others can write it"]);
    mode(&top, 0o755);
    std::fs::remove_file(&second).unwrap();
    symlink("first", &second).unwrap();
    assert_says(&refusal(&first), &["hall/first"]);
}

#[test]
fn odd_files_are_refused_without_waiting() {
    let fixture = Fixture::new();
    let pipe = fixture.path("issuers.d/pipe.toml");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert_says(&fixture.refusal(), &["pipe.toml", "no regular file"]);
    std::fs::remove_file(&pipe).unwrap();
    fixture.file("issuers.d/large.toml", &"#".repeat(300 * 1024));
    assert_says(&fixture.refusal(), &["large.toml", "more than"]);
    std::fs::write(fixture.path("issuers.d/large.toml"), b"\xff\xfe").unwrap();
    assert_says(&fixture.refusal(), &["large.toml", "UTF-8"]);
    std::fs::remove_file(fixture.path("issuers.d/large.toml")).unwrap();
    symlink("nowhere", fixture.path("issuers.d/dangling.toml")).unwrap();
    assert_says(&fixture.refusal(), &["dangling.toml", "No such file"]);
}

#[test]
fn a_missing_directory_is_an_error() {
    let missing = Path::new("/nonexistent/landfast");
    let message = load(missing, Owners::Root).unwrap_err().to_string();
    assert_says(&message, &["/nonexistent/landfast", "No such file", "create it"]);
}
