use cairn_core::lifecycle::{Expiration, Rule};

use super::*;
use crate::error::{S3Error, S3ErrorCode};

const HEAD: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
const TAIL: &str = "</LifecycleConfiguration>";
/// The rest of a valid rule.
const REST: &str = "<Status>Enabled</Status><Expiration><Days>1</Days></Expiration>";

fn parse(rules: &str) -> Result<Vec<Rule>, S3Error> {
    parse_lifecycle(format!("{HEAD}{rules}{TAIL}").as_bytes())
}

fn refused(rule: &str, code: S3ErrorCode) {
    let refused = parse(&format!("<Rule>{rule}</Rule>")).map_err(|error| error.code());
    assert_eq!(refused, Err(code), "{rule}");
}

#[test]
fn rules_read_back_in_the_form_in_which_they_were_written() {
    let rule = |text: &str| format!("<Rule>{text}</Rule>");
    let documents = [
        format!("<ID>a</ID><Prefix>logs/</Prefix>{REST}"),
        format!("<ID>a</ID><Prefix></Prefix>{REST}"),
        format!("<ID>b&amp;</ID><Filter></Filter>{REST}"),
        format!("<ID>c</ID><Filter><Prefix>p</Prefix></Filter>{REST}"),
        format!("<ID>d</ID><Filter><Tag><Key>k</Key><Value></Value></Tag></Filter>{REST}"),
        format!("<ID>e</ID><Filter><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></Filter>{REST}"),
        format!(
            "<ID>f</ID><Filter><And><Prefix>p</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key>\
             <Value>w</Value></Tag><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan><ObjectSizeLessThan>9\
             </ObjectSizeLessThan></And></Filter>{REST}"
        )
        .replace("9             ", "9"),
        "<ID>g</ID><Filter></Filter><Status>Disabled</Status><Expiration><Date>2017-09-27T00:00:00.000Z</Date>\
         </Expiration>"
            .to_owned(),
        "<ID>h</ID><Filter></Filter><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true\
         </ExpiredObjectDeleteMarker></Expiration><NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays>\
         <NewerNoncurrentVersions>100</NewerNoncurrentVersions></NoncurrentVersionExpiration>\
         <AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>\
         </AbortIncompleteMultipartUpload>"
            .to_owned(),
    ];
    for document in documents {
        let rules = parse(&rule(&document)).unwrap_or_else(|e| panic!("{document}: {e}"));
        let written = lifecycle_configuration(&rules);
        let body = written.split_once(HEAD).unwrap().1.strip_suffix(TAIL).unwrap();
        assert_eq!(body, rule(&document));
    }
}

#[test]
fn documents_may_be_indented_and_ids_left_out() {
    let text = format!(
        "\n  <Rule>\n    <Filter>\n      <Prefix>x</Prefix>\n    </Filter>\n    <Status>Enabled</Status>\n    <Expiration>\n\
         <Date>2017-09-27</Date>\n    </Expiration>\n  </Rule>\n  <Rule>\n <Prefix/>{REST}</Rule>\n"
    );
    let rules = parse(&text).unwrap();
    assert_eq!(rules[0].expiration, Some(Expiration::Date(1_506_470_400_000)));
    assert_eq!((rules[0].id.as_str(), rules[0].filter.prefix()), ("", "x"));
    assert_eq!((rules[1].id.as_str(), rules[1].filter.prefix.as_deref()), ("", Some("")));
}

#[test]
fn other_documents_are_malformed() {
    use S3ErrorCode::MalformedXml;
    let code = |rules: &str| parse(rules).unwrap_err().code();
    assert_eq!(code(""), MalformedXml);
    let many = |count| format!("<Rule><Filter/>{REST}</Rule>").repeat(count);
    assert_eq!(parse(&many(1000)).map(|rules| rules.len()), Ok(1000));
    assert_eq!(code(&many(1001)), MalformedXml);
    refused(REST, MalformedXml);
    refused(&format!("<Prefix/><Filter/>{REST}"), MalformedXml);
    refused("<Filter/><Expiration><Days>1</Days></Expiration>", MalformedXml);
    refused("<Filter/><Status>enabled</Status><Expiration><Days>1</Days></Expiration>", MalformedXml);
    // A misspelled filter must not apply to everything.
    refused(&format!("<Filter><Prefx>a</Prefx></Filter>{REST}"), MalformedXml);
    refused(&format!("<Filter><And/></Filter>{REST}"), MalformedXml);
    refused(&format!("<Filter><Prefix>a</Prefix><And><Prefix>b</Prefix></And></Filter>{REST}"), MalformedXml);
    for expiration in [
        "",
        "<Days>1</Days><Date>2017-09-27T00:00:00Z</Date>",
        "<Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>",
        "<Date>2017-09-27T00:00:00Z</Date><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>",
        "<ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker>",
        "<Days>one</Days>",
        "<Date>tomorrow</Date>",
    ] {
        refused(&format!("<Filter/><Status>Enabled</Status><Expiration>{expiration}</Expiration>"), MalformedXml);
    }
    refused(
        "<Filter/><Status>Enabled</Status><NoncurrentVersionExpiration><NewerNoncurrentVersions>1\
         </NewerNoncurrentVersions></NoncurrentVersionExpiration>",
        MalformedXml,
    );
}

#[test]
fn values_out_of_range_are_invalid_arguments() {
    use S3ErrorCode::InvalidArgument;
    refused(&format!("<ID>{}</ID><Filter/>{REST}", "a".repeat(256)), InvalidArgument);
    let twice = format!("<Rule><ID>a</ID><Filter/>{REST}</Rule>").repeat(2);
    assert_eq!(parse(&twice).unwrap_err().code(), InvalidArgument);
    let rule = |action: &str| format!("<Filter/><Status>Enabled</Status>{action}");
    for days in ["0", "-1", "2147483648"] {
        refused(&rule(&format!("<Expiration><Days>{days}</Days></Expiration>")), InvalidArgument);
        let abort = format!("<DaysAfterInitiation>{days}</DaysAfterInitiation>");
        let abort = format!("<AbortIncompleteMultipartUpload>{abort}</AbortIncompleteMultipartUpload>");
        refused(&rule(&abort), InvalidArgument);
    }
    for date in ["2017-09-27T00:00:01Z", "2017-09-27T01:00:00Z", "1969-12-31T00:00:00Z"] {
        refused(&rule(&format!("<Expiration><Date>{date}</Date></Expiration>")), InvalidArgument);
    }
    for (days, newer) in [(0, 1), (1, 0), (1, 101), (1, -1)] {
        let text = format!(
            "<NoncurrentDays>{days}</NoncurrentDays><NewerNoncurrentVersions>{newer}</NewerNoncurrentVersions>"
        );
        let text = format!("<NoncurrentVersionExpiration>{text}</NoncurrentVersionExpiration>");
        refused(&rule(&text), InvalidArgument);
    }
}

#[test]
fn contradictory_rules_are_invalid_requests() {
    use S3ErrorCode::InvalidRequest;
    let tag = "<Tag><Key>k</Key><Value>v</Value></Tag>";
    refused("<Filter/><Status>Enabled</Status>", InvalidRequest);
    let marker = "<Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>\
                  </Expiration>";
    refused(&format!("<Filter>{tag}</Filter>{marker}"), InvalidRequest);
    let abort = "<Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>\
                 </AbortIncompleteMultipartUpload>";
    refused(&format!("<Filter>{tag}</Filter>{abort}"), InvalidRequest);
    refused(&format!("<Filter><ObjectSizeLessThan>1</ObjectSizeLessThan></Filter>{abort}"), InvalidRequest);
    refused(&format!("<Filter><And>{tag}{tag}</And></Filter>{REST}"), InvalidRequest);
    refused(&format!("<Filter><Prefix>{}</Prefix></Filter>{REST}", "p".repeat(1025)), InvalidRequest);
    let sizes = "<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>5</ObjectSizeLessThan>";
    refused(&format!("<Filter><And>{sizes}</And></Filter>{REST}"), InvalidRequest);
}

#[test]
fn transitions_are_not_implemented() {
    let transition = "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>";
    refused(&format!("<Filter/>{REST}{transition}"), S3ErrorCode::NotImplemented);
    refused(&format!("<Filter/>{REST}{transition}{transition}"), S3ErrorCode::NotImplemented);
    let noncurrent = "<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>GLACIER</StorageClass>\
                      </NoncurrentVersionTransition>";
    refused(&format!("<Filter/>{REST}{noncurrent}"), S3ErrorCode::NotImplemented);
}
