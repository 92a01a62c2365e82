//! What a client says of the object that a CompleteMultipartUpload makes: compared with the parts that are there, before
//! anything is done. Source: S3 API reference, "CompleteMultipartUpload".

use cairn_protocol::metadata::query::{ListedPart, UploadInfo};

use crate::body::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::error::{S3Error, S3ErrorCode};
use crate::request::incoming::Incoming;
use crate::xml::CompletedPart;

const TYPE: &str = "x-amz-checksum-type";
const SIZE: &str = "x-amz-mp-object-size";

/// Compares, and returns the checksum of the object if its upload has one.
pub(in crate::ops) fn check(
    request: &Incoming,
    upload: &UploadInfo,
    named: &[CompletedPart],
    stored: &[ListedPart],
) -> Result<Option<Checksum>, S3Error> {
    let found = named.iter().map(|part| find(part, stored)).collect::<Result<Vec<_>, _>>()?;
    check_size(request, &found)?;
    let algorithm = upload.checksum_algorithm.as_deref().and_then(ChecksumAlgorithm::parse);
    let checksum = match algorithm {
        Some(algorithm) => object_checksum(algorithm, upload.checksum_composite, &found)?,
        None => None,
    };
    check_type(request, checksum.as_ref())?;
    check_checksum(request, checksum.as_ref())?;
    Ok(checksum)
}

fn invalid_part(number: u64) -> S3Error {
    S3Error::new(S3ErrorCode::InvalidPart).with("PartNumber", number.to_string())
}

/// The part that is meant, of those in the order of their numbers. Each checksum that the client names must be the part's.
fn find<'a>(part: &CompletedPart, stored: &'a [ListedPart]) -> Result<&'a ListedPart, S3Error> {
    let place = stored.binary_search_by_key(&part.number, |candidate| u64::from(candidate.number.get()));
    let found = place.ok().and_then(|place| stored.get(place)).ok_or_else(|| invalid_part(part.number))?;
    let checksum = found.checksum.as_ref().and_then(Checksum::from_stored);
    let is_its = |(algorithm, text): &(ChecksumAlgorithm, String)| {
        checksum.as_ref().is_some_and(|own| own.algorithm == *algorithm && own.base64 == *text)
    };
    if part.checksums.iter().all(is_its) { Ok(found) } else { Err(invalid_part(part.number)) }
}

fn check_size(request: &Incoming, parts: &[&ListedPart]) -> Result<(), S3Error> {
    let Some(text) = request.header(SIZE) else { return Ok(()) };
    let expected: u64 = text
        .parse()
        .map_err(|_| S3Error::invalid_argument(SIZE, text, format!("Value for {SIZE} header is invalid.")))?;
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if size == expected {
        return Ok(());
    }
    let message = format!("The provided {SIZE} header value {expected} does not match what was computed: {size}");
    Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
}

fn object_checksum(
    algorithm: ChecksumAlgorithm,
    is_composite: bool,
    parts: &[&ListedPart],
) -> Result<Option<Checksum>, S3Error> {
    let mut values = Vec::with_capacity(parts.len());
    for part in parts {
        let checksum = part.checksum.as_ref().and_then(Checksum::from_stored);
        let value = checksum.filter(|own| own.algorithm == algorithm).and_then(|own| own.value());
        values.push((value.ok_or_else(|| invalid_part(u64::from(part.number.get())))?, part.size));
    }
    Ok(if is_composite {
        Some(Checksum::composite(algorithm, values.iter().map(|(value, _)| value.as_slice())))
    } else {
        Checksum::combined(algorithm, values.iter().map(|(value, size)| (value.as_slice(), *size)))
    })
}

fn check_type(request: &Incoming, computed: Option<&Checksum>) -> Result<(), S3Error> {
    let Some(text) = request.header(TYPE) else { return Ok(()) };
    let invalid = |message: String| Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
    let Some(kind) = ChecksumType::parse(text) else { return invalid(format!("Value for {TYPE} header is invalid.")) };
    match computed {
        None => Err(S3Error::not_implemented(TYPE)),
        Some(checksum) if checksum.kind != kind => invalid(format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            checksum.kind.as_str()
        )),
        Some(_) => Ok(()),
    }
}

/// The client may send the checksum that it expects of the object. One that is not computed cannot be compared.
fn check_checksum(request: &Incoming, computed: Option<&Checksum>) -> Result<(), S3Error> {
    for algorithm in ChecksumAlgorithm::ALL {
        let Some(expected) = request.header(algorithm.header_name()) else { continue };
        let Some(checksum) = computed else { return Err(S3Error::not_implemented(algorithm.header_name())) };
        let is_it = expected == checksum.base64 || checksum.base64.split('-').next() == Some(expected);
        if checksum.algorithm != algorithm || !is_it {
            let message = format!("The {} you specified did not match the calculated checksum.", algorithm.as_str());
            return Err(S3Error::with_message(S3ErrorCode::BadDigest, message));
        }
    }
    Ok(())
}
