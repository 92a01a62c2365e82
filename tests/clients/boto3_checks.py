"""What the boto3 scripts share."""

from botocore.exceptions import ClientError


def refused(code, call, **arguments):
    """Demands that a call fails with this code; returns the error."""
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"{call.__name__}: {found}, expected {code}"
        return error.response["Error"]
    raise AssertionError(f"{call.__name__} should fail with {code}")
