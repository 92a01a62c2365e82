//! A configuration as the file that would lead to it.

use std::fmt;

use super::sections::{Config, KEYS, SECTIONS};

/// TOML with every key of every section, without secrets.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for section in SECTIONS {
            let keys = KEYS.iter().filter(|key| key.section == section.name);
            let set: Vec<_> = keys.filter_map(|key| Some((key.name, (key.print)(self)?))).collect();
            if set.is_empty() {
                continue;
            }
            writeln!(f, "{separator}[{}]", section.name)?;
            for (name, value) in set {
                writeln!(f, "{name} = {value}")?;
            }
            separator = "\n";
        }
        Ok(())
    }
}
