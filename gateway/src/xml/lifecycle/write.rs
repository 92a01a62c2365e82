//! Writes lifecycle configurations.

use cairn_core::lifecycle::{Expiration, Filter, FilterForm, Rule};

use crate::xml::writer::XmlWriter;

/// The document, in the form in which the client sent it.
pub fn lifecycle_configuration(rules: &[Rule]) -> String {
    XmlWriter::document("LifecycleConfiguration", |xml| {
        for rule in rules {
            xml.element("Rule", |xml| write_rule(rule, xml));
        }
    })
}

fn write_rule(rule: &Rule, xml: &mut XmlWriter) {
    xml.text("ID", &rule.id);
    match rule.filter.form {
        FilterForm::TopLevelPrefix => xml.text("Prefix", rule.filter.prefix()),
        FilterForm::Filter => xml.element("Filter", |xml| write_conditions(&rule.filter, xml)),
        FilterForm::And => {
            xml.element("Filter", |xml| xml.element("And", |xml| write_conditions(&rule.filter, xml)));
        }
    }
    xml.value("Status", if rule.enabled { "Enabled" } else { "Disabled" });
    if let Some(expiration) = rule.expiration {
        xml.element("Expiration", |xml| match expiration {
            Expiration::Days(days) => xml.value("Days", days),
            Expiration::Date(ms) => xml.time("Date", ms),
            Expiration::LoneMarkers => xml.value("ExpiredObjectDeleteMarker", true),
        });
    }
    if let Some(noncurrent) = rule.noncurrent {
        xml.element("NoncurrentVersionExpiration", |xml| {
            xml.value("NoncurrentDays", noncurrent.days);
            if let Some(kept) = noncurrent.newer_kept {
                xml.value("NewerNoncurrentVersions", kept);
            }
        });
    }
    if let Some(days) = rule.abort_uploads_days {
        xml.element("AbortIncompleteMultipartUpload", |xml| xml.value("DaysAfterInitiation", days));
    }
}

fn write_conditions(filter: &Filter, xml: &mut XmlWriter) {
    xml.optional("Prefix", filter.prefix.as_deref());
    for tag in &filter.tags {
        xml.element("Tag", |xml| {
            xml.text("Key", &tag.key);
            xml.text("Value", &tag.value);
        });
    }
    for (name, bound) in [("ObjectSizeGreaterThan", filter.larger_than), ("ObjectSizeLessThan", filter.smaller_than)] {
        if let Some(bound) = bound {
            xml.value(name, bound);
        }
    }
}
