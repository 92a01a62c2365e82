"""Storage classes through boto3: every way to name one, everywhere one is shown, and those that are refused.

The endpoint and the keys come from the environment. Any exception is a failure.
"""

import io

import boto3
from boto3.s3.transfer import TransferConfig

from boto3_checks import refused

MIB = 1 << 20
CLASSES = ["REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"]
REFUSED = ["GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "EXPRESS_ONEZONE", "SNOW", "standard", "NONE"]
s3 = boto3.client("s3")
bucket = "classes"


def check(key, expected):
    """The class of an object, wherever S3 shows it."""
    named = None if expected == "STANDARD" else expected
    for call in [s3.head_object, s3.get_object]:
        found = call(Bucket=bucket, Key=key).get("StorageClass")
        assert found == named, (key, call.__name__, found, named)
    attributes = s3.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=["StorageClass"])
    assert attributes["StorageClass"] == expected, (key, attributes)
    for call in [s3.list_objects, s3.list_objects_v2]:
        entries = [o for o in call(Bucket=bucket, Prefix=key)["Contents"] if o["Key"] == key]
        assert [o["StorageClass"] for o in entries] == [expected], (key, call.__name__, entries)


s3.create_bucket(Bucket=bucket)
s3.put_object(Bucket=bucket, Key="unnamed", Body=b"x" * 100_000)
s3.put_object(Bucket=bucket, Key="standard", Body=b"x" * 100_000, StorageClass="STANDARD")
for name in CLASSES:
    s3.put_object(Bucket=bucket, Key=name, Body=b"x" * 100_000, StorageClass=name)
    s3.put_object(Bucket=bucket, Key=f"tiny-{name}", Body=b"x", StorageClass=name)
    s3.put_object(Bucket=bucket, Key=f"empty-{name}", Body=b"", StorageClass=name)
for key in ["unnamed", "standard"]:
    check(key, "STANDARD")
for name in CLASSES:
    for key in [name, f"tiny-{name}", f"empty-{name}"]:
        check(key, name)

for name in REFUSED:
    source = {"Bucket": bucket, "Key": "unnamed"}
    error = refused("InvalidStorageClass", s3.put_object, Bucket=bucket, Key="no", Body=b"", StorageClass=name)
    assert error["StorageClassRequested"] == name, error
    refused("InvalidStorageClass", s3.copy_object, Bucket=bucket, Key="no", CopySource=source, StorageClass=name)
    refused("InvalidStorageClass", s3.create_multipart_upload, Bucket=bucket, Key="no", StorageClass=name)
assert s3.list_objects_v2(Bucket=bucket, Prefix="no")["KeyCount"] == 0
assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)

# An overwrite gives the class that it names, or the default.
s3.put_object(Bucket=bucket, Key="GLACIER_IR", Body=b"y")
check("GLACIER_IR", "STANDARD")

# Copies, with headers that come along and headers that are replaced.
s3.put_object(Bucket=bucket, Key="source", Body=b"z" * 50_000, StorageClass="ONEZONE_IA", Metadata={"one": "1"})
source = {"Bucket": bucket, "Key": "source"}
s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
check("copy", "STANDARD")
s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, StorageClass="STANDARD_IA")
check("copy", "STANDARD_IA")
s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, StorageClass="GLACIER_IR", MetadataDirective="REPLACE")
check("copy", "GLACIER_IR")
refused("InvalidRequest", s3.copy_object, Bucket=bucket, Key="source", CopySource=source)
s3.copy_object(Bucket=bucket, Key="source", CopySource=source, StorageClass="REDUCED_REDUNDANCY")
check("source", "REDUCED_REDUNDANCY")
got = s3.get_object(Bucket=bucket, Key="source")
assert got["Body"].read() == b"z" * 50_000 and got["Metadata"] == {"one": "1"}, got

# Multipart uploads, by hand and by the transfer manager.
upload = s3.create_multipart_upload(Bucket=bucket, Key="parts", StorageClass="INTELLIGENT_TIERING")["UploadId"]
listed = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
assert [(u["Key"], u["StorageClass"]) for u in listed] == [("parts", "INTELLIGENT_TIERING")], listed
part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"p" * (5 * MIB))
last = s3.upload_part_copy(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=2, CopySource=source)
assert s3.list_parts(Bucket=bucket, Key="parts", UploadId=upload)["StorageClass"] == "INTELLIGENT_TIERING"
parts = []
for number, made in [(1, part), (2, last["CopyPartResult"])]:
    parts.append({"PartNumber": number, "ETag": made["ETag"]} | {k: v for k, v in made.items() if k.startswith("Checksum")})
s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
check("parts", "INTELLIGENT_TIERING")
big = io.BytesIO(b"q" * (12 * MIB))
s3.upload_fileobj(
    big, bucket, "managed", ExtraArgs={"StorageClass": "STANDARD_IA"}, Config=TransferConfig(multipart_chunksize=5 * MIB)
)
check("managed", "STANDARD_IA")
assert len(s3.get_object(Bucket=bucket, Key="managed")["Body"].read()) == 12 * MIB
print("all is well")
