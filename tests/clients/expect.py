"""What the scripts beside this file expect of failing calls."""

from botocore.exceptions import ClientError


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"{call.__name__}: {found}, expected {code}"
    else:
        raise AssertionError(f"{call.__name__} should fail with {code}")
