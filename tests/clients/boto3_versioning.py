"""Versioning through boto3: versions, delete markers, listings by the paginator, and deletion by version.

The endpoint and the keys come from the environment. Any exception is a failure.
"""

import boto3
from botocore.exceptions import ClientError

from boto3_checks import refused

s3 = boto3.client("s3")
bucket = "versioning"
s3.create_bucket(Bucket=bucket)


def versioning(status):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status


def put(key, body):
    return s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId")


def read(key, **arguments):
    return s3.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()


def marker_at(status, call, **arguments):
    """Demands that a call fails because of a delete marker; returns the marker's id."""
    try:
        call(Bucket=bucket, **arguments)
    except ClientError as error:
        answer = error.response["ResponseMetadata"]
        assert answer["HTTPStatusCode"] == status, error.response
        assert answer["HTTPHeaders"]["x-amz-delete-marker"] == "true", error.response
        return answer["HTTPHeaders"]["x-amz-version-id"]
    raise AssertionError(f"{call.__name__} should find a delete marker")


def listed(**arguments):
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, **arguments)
    versions, markers = [], []
    for page in pages:
        versions += page.get("Versions", [])
        markers += page.get("DeleteMarkers", [])
    return versions, markers


assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
assert put("key", b"zero") is None
mfa = {"Status": "Enabled", "MFADelete": "Enabled"}
refused("NotImplemented", s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=mfa)
versioning("Enabled")
one, two = put("key", b"one"), put("key", b"two")
assert read("key") == b"two" and read("key", VersionId=one) == b"one" and read("key", VersionId="null") == b"zero"
assert s3.head_object(Bucket=bucket, Key="key", VersionId=one)["VersionId"] == one
attributes = s3.get_object_attributes(Bucket=bucket, Key="key", VersionId=one, ObjectAttributes=["ObjectSize"])
assert (attributes["VersionId"], attributes["ObjectSize"]) == (one, 3), attributes

# A delete marker hides the key, and is no object itself.
deleted = s3.delete_object(Bucket=bucket, Key="key")
marker = deleted["VersionId"]
assert deleted["DeleteMarker"], deleted
assert marker_at(404, s3.get_object, Key="key") == marker_at(404, s3.head_object, Key="key") == marker
for call in [s3.get_object, s3.head_object]:
    assert marker_at(405, call, Key="key", VersionId=marker) == marker
assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
gone = refused("NoSuchVersion", s3.get_object, Bucket=bucket, Key="key", VersionId="f" * 32)
assert (gone["Key"], gone["VersionId"]) == ("key", "f" * 32), gone
refused("InvalidArgument", s3.get_object, Bucket=bucket, Key="key", VersionId="abc")

# Copies of a version, and none of a marker.
source = {"Bucket": bucket, "Key": "key"}
refused("NoSuchKey", s3.copy_object, Bucket=bucket, Key="copy", CopySource=source)
named = {**source, "VersionId": marker}
refused("InvalidRequest", s3.copy_object, Bucket=bucket, Key="key", CopySource=named)
restored = s3.copy_object(Bucket=bucket, Key="key", CopySource={**source, "VersionId": one})
assert restored["CopySourceVersionId"] == one and read("key", VersionId=restored["VersionId"]) == b"one", restored
upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
part = s3.upload_part_copy(
    Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, CopySource={**source, "VersionId": two}
)
assert part["CopySourceVersionId"] == two, part
result = part["CopyPartResult"]
parts = [{"PartNumber": 1, **{name: value for name, value in result.items() if name == "ETag" or "Checksum" in name}}]
done = s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
assert read("parts", VersionId=done["VersionId"]) == b"two"

# Listings by pages of each size.
put("dir/a b", b"x")
versions, markers = listed()
assert [(v["Key"], v["VersionId"]) for v in versions][1:] == [
    ("key", restored["VersionId"]), ("key", two), ("key", one), ("key", "null"), ("parts", done["VersionId"]),
], versions
assert [(m["Key"], m["VersionId"], m["IsLatest"]) for m in markers] == [("key", marker, False)], markers
assert [v["IsLatest"] for v in versions] == [True, True, False, False, False, True], versions
for size in range(1, 8):
    assert listed(PaginationConfig={"PageSize": size}) == (versions, markers), size
rolled = s3.list_object_versions(Bucket=bucket, Delimiter="/", MaxKeys=1)
assert [p["Prefix"] for p in rolled["CommonPrefixes"]] == ["dir/"] and rolled["IsTruncated"], rolled
rest = s3.list_object_versions(Bucket=bucket, Delimiter="/", KeyMarker=rolled["NextKeyMarker"])
assert rest["Versions"] == versions[1:] and "CommonPrefixes" not in rest, rest

# Deletion in batches: without a version a marker is made, with one it goes for good.
refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "parts"}]})["Deleted"]
made = answer[0]["DeleteMarkerVersionId"]
assert answer == [{"Key": "parts", "DeleteMarker": True, "DeleteMarkerVersionId": made}], answer
named = [{"Key": "parts", "VersionId": made}, {"Key": "key", "VersionId": two}]
answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": named})["Deleted"]
assert answer == [{**named[0], "DeleteMarker": True, "DeleteMarkerVersionId": made}, named[1]], answer
assert read("parts") == b"two"

# Suspended, the null version is replaced.
versioning("Suspended")
assert put("key", b"three") is None
assert read("key", VersionId="null") == b"three"
deleted = s3.delete_object(Bucket=bucket, Key="key")
assert (deleted["VersionId"], deleted["DeleteMarker"]) == ("null", True), deleted

versions, markers = listed()
everything = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions + markers]
assert "Errors" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": everything, "Quiet": True})
assert listed() == ([], [])
s3.delete_bucket(Bucket=bucket)
print("all is well")
