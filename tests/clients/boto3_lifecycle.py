"""Lifecycle configurations through boto3: what is set reads back, and what makes no sense is refused as S3 does.

The endpoint and the keys come from the environment. Any exception is a failure.
"""

import datetime

import boto3

from boto3_checks import refused

s3 = boto3.client("s3")
bucket = "lifecycle"
s3.create_bucket(Bucket=bucket)
midnight = datetime.datetime(2017, 9, 27, tzinfo=datetime.timezone.utc)
days = {"Days": 31}


def put(*rules):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})


def got():
    return s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]


def rule(**other):
    return {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, **other}


def bad(code, *rules):
    configuration = {"Rules": list(rules)}
    refused(code, s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration=configuration)


refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, Bucket=bucket)
refused("NoSuchBucket", s3.get_bucket_lifecycle_configuration, Bucket="no-such-bucket")
s3.delete_bucket_lifecycle(Bucket=bucket)

tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
several = [
    {"ID": "old form", "Prefix": "test1/", "Status": "Enabled", "Expiration": days},
    {"ID": "off", "Prefix": "", "Status": "Disabled", "Expiration": {"Date": midnight}},
    rule(ID="all", Filter={}, Expiration={"ExpiredObjectDeleteMarker": True}),
    rule(ID="tag", Filter={"Tag": tags[0]}, Expiration=days),
    rule(ID="size", Filter={"ObjectSizeLessThan": 500}, Expiration=days),
    rule(
        ID="and",
        Filter={"And": {"Prefix": "x", "Tags": tags, "ObjectSizeGreaterThan": 0, "ObjectSizeLessThan": 2}},
        NoncurrentVersionExpiration={"NoncurrentDays": 3, "NewerNoncurrentVersions": 100},
    ),
    rule(ID="uploads", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}, Expiration=days),
]
put(*several)
assert got() == several, got()
put({"Status": "Enabled", "Prefix": "a", "Expiration": days}, {"Status": "Enabled", "Prefix": "b", "Expiration": days})
ids = [rule["ID"] for rule in got()]
assert len(set(ids)) == 2 and all(ids), ids

kept = got()
bad("MalformedXML")
bad("MalformedXML", rule(Status="enabled", Expiration=days))
bad("MalformedXML", {"ID": "r", "Status": "Enabled", "Expiration": days})
bad("MalformedXML", rule(Prefix="x", Expiration=days))
bad("MalformedXML", rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True}))
bad("InvalidArgument", rule(ID="a" * 256, Expiration=days))
bad("InvalidArgument", rule(Expiration=days), rule(Expiration=days))
bad("InvalidArgument", rule(Expiration={"Days": 0}))
bad("InvalidArgument", rule(Expiration={"Date": "20200101"}))
bad("InvalidArgument", rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}))
bad("InvalidRequest", rule())
bad("InvalidRequest", rule(Filter={"Tag": tags[0]}, Expiration={"ExpiredObjectDeleteMarker": True}))
bad("InvalidRequest", rule(Filter={"Tag": tags[0]}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}))
bad("NotImplemented", rule(Expiration=days, Transitions=[{"Days": 1, "StorageClass": "GLACIER"}]))
assert got() == kept, "what is refused changes nothing"

s3.delete_bucket_lifecycle(Bucket=bucket)
refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, Bucket=bucket)

# Copies and completed uploads tell of their end too.
put(rule(Expiration=days))
assert 'rule-id="r"' in s3.put_object(Bucket=bucket, Key="logs/a", Body=b"x")["Expiration"]
assert "Expiration" not in s3.put_object(Bucket=bucket, Key="other", Body=b"x")
copy = s3.copy_object(Bucket=bucket, Key="logs/b", CopySource={"Bucket": bucket, "Key": "other"})
assert 'rule-id="r"' in copy["Expiration"], copy
upload = s3.create_multipart_upload(Bucket=bucket, Key="logs/c")["UploadId"]
part = s3.upload_part(Bucket=bucket, Key="logs/c", UploadId=upload, PartNumber=1, Body=b"x")
parts = [{"PartNumber": 1, **{name: value for name, value in part.items() if name == "ETag" or "Checksum" in name}}]
done = s3.complete_multipart_upload(
    Bucket=bucket, Key="logs/c", UploadId=upload, MultipartUpload={"Parts": parts}
)
assert done["Expiration"] == s3.head_object(Bucket=bucket, Key="logs/c")["Expiration"], done
print("all is well")
