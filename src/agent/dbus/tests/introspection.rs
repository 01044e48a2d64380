//! The committed descriptions are what the bus is told. `LANDFAST_BLESS=1` writes them anew.

use super::*;
use crate::dbus::licenses;
use std::path::Path;

/// Cuts one interface out of what the agent says about an object.
fn interface(told: &str, name: &str) -> String {
    let start = told.find(&format!("<interface name=\"{name}\">")).expect("the object has the interface");
    let length = told[start..].find("</interface>").unwrap() + "</interface>".len();
    let mut text = "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n  \
                    \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n"
        .to_owned();
    for line in told[start..start + length].lines().map(str::trim) {
        let depth = match line {
            line if line.contains("interface") => 1,
            line if line.starts_with("<arg") || line.starts_with("<annotation") => 3,
            _ => 2,
        };
        text.push_str(&"  ".repeat(depth));
        text.push_str(line);
        text.push('\n');
    }
    text + "</node>\n"
}

#[tokio::test]
async fn the_committed_descriptions_are_true() {
    let bench = Bench::new(&["acme"]);
    bench.activate(0, &[3]);
    let pair = Pair::with(bench).await;
    let license = licenses::path(pair.bench.license(0, 3));
    for (path, name) in [(PATH, ENTITLEMENTS), (PATH, BINDING), (PATH, ADMIN), (license.as_str(), LICENSES)] {
        let call = "org.freedesktop.DBus.Introspectable";
        let told = soon(pair.caller.call_method(None::<&str>, path, Some(call), "Introspect", &())).await;
        let told: String = told.unwrap().body().deserialize().unwrap();
        let told = interface(&told, name);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("dbus").join(format!("{name}.xml"));
        if std::env::var_os("LANDFAST_BLESS").is_some() {
            std::fs::write(&file, &told).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(told, committed, "{} is out of date; see the head of this file", file.display());
    }
}
