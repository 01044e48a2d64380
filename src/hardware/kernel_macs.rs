//! Permanent addresses from the running kernel.

use crate::ethtool;
use crate::mac::{MacError, MacSource, PermanentMacs};
use crate::rtnetlink::{Answer, Connection};

/// Asks the kernel: first rtnetlink, which tells permanent addresses since Linux 5.6, then the ioctl of ethtool.
/// Neither needs a right. Only the few interfaces that may count are asked for: a dump of all would be long on a host
/// of containers.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelMacs;

impl MacSource for KernelMacs {
    fn permanent(&self, names: &[String]) -> PermanentMacs {
        let netlink = Connection::open();
        let socket = ethtool::open();
        let ask = |name: &str, sequence| {
            if let Ok(connection) = &netlink {
                match connection.ask(name, sequence) {
                    Ok(Answer::Permanent(mac)) => return Ok(Some(mac)),
                    Err(MacError::Vanished) => return Err(MacError::Vanished),
                    Ok(Answer::NotSaid) | Err(_) => {}
                }
            }
            ethtool::permanent(socket.as_ref().map_err(Clone::clone)?, name)
        };
        (1..).zip(names).map(|(sequence, name)| (name.clone(), ask(name, sequence))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::MacAddress;

    fn interfaces() -> Vec<String> {
        let entries = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    #[test]
    fn both_ways_give_the_same_address_for_each_interface_of_this_machine() {
        let names = interfaces();
        let socket = ethtool::open().unwrap();
        let answers = KernelMacs.permanent(&names);
        assert_eq!(answers.len(), names.len());
        for name in names {
            let address: Option<MacAddress> = answers[&name].clone().unwrap();
            assert_eq!(ethtool::permanent(&socket, &name).unwrap(), address, "{name}");
        }
    }

    #[test]
    fn an_interface_that_is_not_there_has_vanished() {
        let none = "landfast-none".to_owned();
        assert_eq!(KernelMacs.permanent(std::slice::from_ref(&none))[&none], Err(MacError::Vanished));
    }
}
