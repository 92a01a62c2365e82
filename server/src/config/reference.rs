//! docs/configuration.md, made from the table of keys.

use std::fmt::Write as _;

use super::key::Key;
use super::sections::{Config, KEYS, Layer, SECTIONS};

const HEAD: &str = "\
# Configuration

<!-- Made from server/src/config/sections.rs by scripts/configuration: change it there. -->

Flags win over environment variables, those over the file of `--config`, and that over the defaults.
`cairn server --print-config` prints the result in the form of the file, without secrets.

The file is TOML with the sections below. A key or a value that is not known is an error. The environment variable of a key
is `CAIRN_`, the section, `_` and the key, in upper case: `CAIRN_GATEWAY_MEMORY`. Lists have commas there.

```toml
[server]
roles = [\"storage-node\"]
data = \"/var/lib/cairn\"

[storage_node]
disks = [\"/mnt/disk1\", \"/mnt/disk2\"]
reserve = \"10GiB\"

[scrub]
period = \"14d\"
rate_max = \"32MiB/s\"
```

| type | form |
|---|---|
| duration | `\"500ms\"`, `\"30s\"`, `\"10m\"`, `\"1h\"`, `\"30d\"`; a number is in seconds |
| size | `\"4KiB\"`, `\"64MiB\"`, `\"1GiB\"` (binary), `\"1GB\"` (decimal); a number is in bytes |
| rate | `\"32MiB/s\"`; a number is in bytes per second |
";

const OLD_NAMES: &str = "
## Old names

Before there were sections, keys stood at the top of the file and had other names. These still work in this release, in the
file and as `CAIRN_` variables, and each is logged with its new name. The next release refuses them. A source that sets both
names of a key is refused.

| old | new |
|---|---|
";

/// The reference as Markdown.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        let doc = section.doc.trim();
        // Writing to a String does not fail.
        let _ = write!(text, "\n## `[{}]`\n\n{doc}\n\n| key | default | |\n|---|---|---|\n", section.name);
        for key in KEYS.iter().filter(|key| key.section == section.name) {
            let _ = writeln!(text, "| `{}` | {} | {} |", key.name, default(key), meaning(key));
        }
    }
    text.push_str(OLD_NAMES);
    for key in KEYS {
        if let Some(flat) = key.flat {
            let _ = writeln!(text, "| `{flat}` | `{}` |", key.path());
        }
    }
    text
}

fn default(key: &Key<Layer, Config>) -> String {
    let text = (key.default)();
    let is_prose = text.contains(' ') || text.contains('`') || ["none", "empty", "all", "generated"].contains(&&*text);
    if is_prose { text } else { format!("`{text}`") }
}

fn meaning(key: &Key<Layer, Config>) -> String {
    let mut text = key.doc.trim().to_owned();
    if let Some(range) = (key.range)() {
        let _ = write!(text, " Allowed: {range}.");
    }
    if let Some(flag) = key.flag {
        let _ = write!(text, " Flag: `{flag}`.");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_reference_is_the_one_that_the_table_makes() {
        let committed = include_str!("../../../docs/configuration.md");
        assert_eq!(committed, reference(), "docs/configuration.md is stale: run scripts/configuration and commit it");
    }
}
