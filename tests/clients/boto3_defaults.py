"""boto3 at its default settings: multipart, copies, conditions, checksums, batch deletion, presigned URLs.

The endpoint and the keys come from the environment. Any exception is a failure.
"""

import hashlib
import io
import os
import urllib.request

import boto3
from botocore.config import Config

from expect import refused

MIB = 1 << 20
s3 = boto3.client("s3")
bucket = "boto3"


def read(key, **arguments):
    return s3.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()


s3.create_bucket(Bucket=bucket)
assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == [bucket]
assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None

# A plain object with everything that a client may attach.
s3.put_object(
    Bucket=bucket,
    Key="plain",
    Body=b"plain body",
    ContentType="text/plain",
    CacheControl="no-cache",
    ContentDisposition="inline",
    Metadata={"one": "1", "two": "zwei"},
)
head = s3.head_object(Bucket=bucket, Key="plain")
assert head["ContentLength"] == 10 and head["ContentType"] == "text/plain", head
assert head["CacheControl"] == "no-cache" and head["ContentDisposition"] == "inline", head
assert head["Metadata"] == {"one": "1", "two": "zwei"}, head
assert head["ETag"] == '"%s"' % hashlib.md5(b"plain body").hexdigest(), head

# Checksums: sent, verified, stored and returned.
for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"]:
    key = f"checksum-{algorithm}"
    try:
        put = s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 100_000, ChecksumAlgorithm=algorithm)
    except Exception as error:  # botocore computes some of them only with awscrt
        if "awscrt" in str(error).lower() or "crt" in str(error).lower():
            continue
        raise
    name = f"Checksum{algorithm}"
    got = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"x" * 100_000
    assert got[name] == put[name], (name, got.get(name), put.get(name))

# Multipart by the transfer manager, and by hand.
big = os.urandom(40 * MIB + 3)
s3.upload_fileobj(io.BytesIO(big), bucket, "big")
sink = io.BytesIO()
s3.download_fileobj(bucket, "big", sink)
assert sink.getvalue() == big
assert read("big", Range="bytes=8388600-8388620") == big[8388600:8388621]

upload = s3.create_multipart_upload(Bucket=bucket, Key="hand")["UploadId"]
parts = []
for number, body in [(1, big[: 5 * MIB]), (2, big[5 * MIB : 11 * MIB]), (4, b"the end")]:
    part = s3.upload_part(Bucket=bucket, Key="hand", UploadId=upload, PartNumber=number, Body=body)
    entry = {"PartNumber": number, "ETag": part["ETag"]}
    entry.update({k: v for k, v in part.items() if k.startswith("Checksum")})
    parts.append(entry)
copied = s3.upload_part_copy(
    Bucket=bucket, Key="hand", UploadId=upload, PartNumber=3,
    CopySource={"Bucket": bucket, "Key": "big"}, CopySourceRange=f"bytes=0-{5 * MIB - 1}",
)["CopyPartResult"]
entry = {"PartNumber": 3, "ETag": copied["ETag"]}
entry.update({k: v for k, v in copied.items() if k.startswith("Checksum")})
parts.insert(2, entry)
listed = s3.list_parts(Bucket=bucket, Key="hand", UploadId=upload)["Parts"]
assert [p["PartNumber"] for p in listed] == [1, 2, 3, 4], listed
s3.complete_multipart_upload(Bucket=bucket, Key="hand", UploadId=upload, MultipartUpload={"Parts": parts})
assert read("hand") == big[: 11 * MIB] + big[: 5 * MIB] + b"the end"
part = s3.get_object(Bucket=bucket, Key="hand", PartNumber=4)
assert part["Body"].read() == b"the end" and part["PartsCount"] == 4, part

# Copies.
s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "plain"})
assert read("copy") == b"plain body"
assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"one": "1", "two": "zwei"}
s3.copy_object(
    Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "plain"},
    MetadataDirective="REPLACE", Metadata={"three": "3"},
)
assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"three": "3"}

# Conditions.
etag = head["ETag"]
assert read("plain", IfMatch=etag) == b"plain body"
refused("PreconditionFailed", s3.get_object, Bucket=bucket, Key="plain", IfMatch='"0"')
refused("304", s3.get_object, Bucket=bucket, Key="plain", IfNoneMatch=etag)
refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="plain", Body=b"", IfNoneMatch="*")
s3.put_object(Bucket=bucket, Key="plain", Body=b"second", IfMatch=etag)
refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="plain", Body=b"", IfMatch=etag)
assert read("plain") == b"second"

# Listings, by both versions and with odd keys.
odd = ["odd/ä", "odd/a b", "odd/a+b", "odd/<&>", "odd/emoji-\N{GRINNING FACE}", "odd/%41"]
for key in odd:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="odd/", PaginationConfig={"PageSize": 2})
assert [o["Key"] for page in pages for o in page["Contents"]] == sorted(odd, key=lambda k: k.encode())
pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, Prefix="odd/", PaginationConfig={"PageSize": 2})
assert [o["Key"] for page in pages for o in page["Contents"]] == sorted(odd, key=lambda k: k.encode())
assert [p["Prefix"] for p in s3.list_objects_v2(Bucket=bucket, Delimiter="/")["CommonPrefixes"]] == ["odd/"]
for key in odd:
    assert read(key) == key.encode(), key

# Presigned URLs in both directions. boto3 still presigns for us-east-1 with signature version 2 unless told otherwise;
# that is accepted for reading only.
v4 = boto3.client("s3", config=Config(signature_version="s3v4"))
url = v4.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "presigned"})
request = urllib.request.Request(url, data=b"by url", method="PUT")
assert urllib.request.urlopen(request).status == 200
for client in [s3, v4]:
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "presigned"})
    assert urllib.request.urlopen(url).read() == b"by url"

# Errors.
refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="nothing")
refused("404", s3.head_object, Bucket=bucket, Key="nothing")
refused("NoSuchBucket", s3.list_objects_v2, Bucket="no-such-bucket")
refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)

# Batch deletion of everything, and the bucket.
keys = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]
gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
assert sorted(d["Key"] for d in gone["Deleted"]) == sorted(keys) and "Errors" not in gone, gone
assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
s3.delete_bucket(Bucket=bucket)
print("all is well")
